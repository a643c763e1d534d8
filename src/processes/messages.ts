import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import type { SettingsDocument } from '../config/index.ts';
import type { Entrance, Readiness } from '../http/index.ts';

/** The metrics of one process as they travel. */
export type Sample = MetricObjectWithValues<MetricValue<string>>[];

/** What a primary may ask a worker, and what it is answered. */
export interface Answers {
  /** It has nothing more to say. */
  readonly alive: true;
  readonly readiness: Readiness;
  readonly metrics: Sample;
  /** The address at which the first operator gets in; undefined where somebody has an account. */
  readonly setup: string | undefined;
}

/**
 * A primary may be older than its workers: it goes on while they are replaced by a newer version. So messages are only
 * ever added to, and one that is not known is passed over.
 */
export type ToWorker =
  | {
      readonly type: 'begin';
      readonly worker: number;
      readonly document: SettingsDocument;
      readonly entrance: Entrance;
      /** Says nothing in the log until `speak`: the first line is the primary's. */
      readonly quiet: boolean;
    }
  | { readonly type: 'speak' }
  /** Comes with a connection; `taken` answers it. */
  | { readonly type: 'connection'; readonly number: number }
  | { readonly type: 'ask'; readonly what: keyof Answers; readonly question: number }
  /** No connection follows: answer what was asked, and end. */
  | { readonly type: 'drain' };

export type FromWorker =
  | { readonly type: 'serving'; readonly issuer: string }
  /** It cannot start, in words for the operator. */
  | { readonly type: 'failed'; readonly why: string }
  /** This connection arrived. Said before anything is read of it: what was not said can still go to another worker. */
  | { readonly type: 'taken'; readonly number: number }
  /** How many of the connections it was handed have ended by now. */
  | { readonly type: 'ended'; readonly connections: number }
  | { readonly type: 'answer'; readonly question: number; readonly value: Answers[keyof Answers] | undefined }
  /** Its last metrics. */
  | { readonly type: 'farewell'; readonly metrics: Sample };
