import {
  type Clock,
  type Duration,
  days,
  minutes,
  newSecret,
  type SealingKey,
  seal,
  seconds,
  unseal,
} from '../lib/index.ts';
import { type Change, type Delivery, type Put, type Store, StoreConflict } from '../store/index.ts';
import type { Audit } from './audit.ts';
import type { Letter } from './letters.ts';
import type { Ended } from './logouts.ts';
import type { MailRequest } from './mail-requests.ts';

/** What each kind carries, as plain JSON. A new kind is a line here and a handler in the courier's table. */
export interface Payloads {
  /** Somebody asked for a mail to an address; whether anybody has it is looked up in the background. */
  readonly request: MailRequest;
  readonly mail: Letter;
  /** An application is told that somebody is signed out; its token is signed when it is sent. */
  readonly logout: Ended;
}

export type DeliveryKind = keyof Payloads;

interface EnqueueOptions {
  /** Whom it is about, for the audit. */
  readonly accountId?: string | undefined;
  /** After this long nobody wants it any more; a day at most. */
  readonly goodFor?: Duration;
}

/** One delivery that this process alone may attempt, until its lease is over. */
export interface Claim<K extends DeliveryKind = DeliveryKind> {
  readonly kind: K;
  /** The same at each attempt, so that whoever gets it twice can tell. */
  readonly reference: string;
  readonly payload: Payloads[K];
  /** This one included. */
  readonly attempt: number;
  /** It was delivered; `also` happens in the same commit. False where the lease was over, and nothing was changed. */
  done(also?: readonly Change[]): Promise<boolean>;
  /** It failed for now: the next attempt is later, or there is none and it is written down so. */
  failed(): Promise<'put off' | 'given up'>;
  /** It can never succeed. */
  giveUp(): Promise<void>;
}

export type Deliveries = ReturnType<typeof createDeliveries>;

const LONGEST = days(1);
/** Waits between attempts; the last one repeats. */
const PAUSES = [seconds(10), seconds(30), minutes(1), minutes(3), minutes(5), minutes(10), minutes(20), minutes(30)];

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly audit: Audit;
  readonly sealingKey: SealingKey;
}

/**
 * What has to be done outside the store because of a commit: written down in that very commit, done in the background,
 * tried again until it succeeds or is given up after a day. At least once: a process that dies between doing it and
 * writing that down does it again after the lease.
 */
export function createDeliveries({ store, now, audit, sealingKey }: Options) {
  const listeners = new Set<(kind: DeliveryKind) => void>();

  /** The moment first, so that the rows of a kind come in the order in which they are due. */
  const idOf = (due: number, reference: string): string => `${due.toString(36).padStart(9, '0')}_${reference}`;
  const dueIn = (id: string): number => Number.parseInt(id.slice(0, 9), 36);
  const labelOf = (reference: string): string => `deliveries/${reference}`;

  /** The claim is the row at this id: whoever claims next moves it to another. */
  function claimed<K extends DeliveryKind>(id: string, record: Delivery): Claim<K> {
    const reference = id.slice(10);
    async function end(changes: readonly Change[]): Promise<boolean> {
      const row = await store.get('deliveries', id);
      if (!row) return false;
      try {
        await store.commit([{ remove: 'deliveries', id, expect: row.version }, ...changes]);
        return true;
      } catch (error) {
        if (error instanceof StoreConflict && error.table === 'deliveries') return false;
        throw error;
      }
    }
    async function giveUp(): Promise<void> {
      const { kind, attempts, accountId } = record;
      await end([audit.record('delivery.given_up', { ...(accountId && { accountId }), details: { kind, attempts } })]);
    }
    return {
      kind: record.kind as K,
      reference,
      get payload() {
        return JSON.parse(unseal(sealingKey, labelOf(reference), record.sealed));
      },
      attempt: record.attempts,
      done: (also = []) => end(also),
      giveUp,
      async failed() {
        const pause = PAUSES[Math.min(record.attempts, PAUSES.length) - 1] ?? 0;
        // Up to a fifth more, so that what failed together is not tried together.
        const due = Math.floor(now() + pause * (1 + Math.random() / 5));
        if (due < record.until) {
          await end([{ put: 'deliveries', id: idOf(due, reference), record, expect: 'absent' }]);
          return 'put off';
        }
        await giveUp();
        return 'given up';
      },
    };
  }

  return {
    /** The change that writes it down, to go into the same commit as what it tells of. */
    enqueue<K extends DeliveryKind>(
      kind: K,
      payload: Payloads[K],
      { accountId, goodFor = LONGEST }: EnqueueOptions = {},
    ): Put<'deliveries'> {
      const reference = newSecret().slice(0, 22);
      const record: Delivery = {
        kind,
        sealed: seal(sealingKey, labelOf(reference), JSON.stringify(payload)),
        attempts: 0,
        createdAt: now(),
        until: now() + Math.min(goodFor, LONGEST),
        ...(accountId && { accountId }),
      };
      for (const tell of listeners) tell(kind);
      return { put: 'deliveries', id: idOf(now(), reference), record, expect: 'absent' };
    },

    /**
     * Takes the first of its kind that is due; of several processes one gets it.
     * @param lease nobody else tries before it is over.
     * @returns the claim, or how long until the next one is due; neither where there is none.
     */
    async claim<K extends DeliveryKind>(
      kind: K,
      lease: Duration,
    ): Promise<{ readonly claim?: Claim<K>; readonly wait?: Duration }> {
      for (;;) {
        const [row] = (await store.find('deliveries', 'kind', kind, { limit: 1 })).rows;
        if (!row) return {};
        const wait = dueIn(row.id) - now();
        if (wait > 0) return { wait };
        const record: Delivery = { ...row.record, attempts: row.record.attempts + 1 };
        const id = idOf(now() + lease, row.id.slice(10));
        try {
          await store.commit([
            { remove: 'deliveries', id: row.id, expect: row.version },
            { put: 'deliveries', id, record, expect: 'absent' },
          ]);
          return { claim: claimed<K>(id, record) };
        } catch (error) {
          // Somebody else was first, and the next one may be ours.
          if (!(error instanceof StoreConflict)) throw error;
        }
      }
    },

    /** Calls back when something was enqueued; its commit is still to come. Gives back how to end it. */
    onEnqueue(listener: (kind: DeliveryKind) => void): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
