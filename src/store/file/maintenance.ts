import type { Low } from 'lowdb';
import { type Duration, type Logger, seconds } from '../../lib/index.ts';
import { StoreUnavailable } from '../contract.ts';
import type { JournalAdapter } from './adapter.ts';
import type { Database } from './memory/index.ts';

export interface CompactionLimits {
  /** A journal shorter than this is left alone, in bytes. */
  readonly journalBytes: number;
  /** How long to wait before what failed is tried again; doubled each time, up to ten seconds. */
  readonly firstRetry?: Duration;
}

const FIRST_RETRY = seconds(1);
const LAST_RETRY = seconds(10);

/**
 * Decides when everything is written anew: to compact, when more than half of what a start would read is dead; and to
 * heal, after writing failed, until it works again. One at a time.
 */
export class Maintenance {
  readonly #low: Low<Database>;
  readonly #adapter: JournalAdapter;
  readonly #log: Logger;
  readonly #limits: CompactionLimits;
  #writing: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #wait: Duration;
  #closed = false;

  constructor(options: { low: Low<Database>; adapter: JournalAdapter; log: Logger; limits: CompactionLimits }) {
    this.#low = options.low;
    this.#adapter = options.adapter;
    this.#log = options.log;
    this.#limits = options.limits;
    this.#wait = options.limits.firstRetry ?? FIRST_RETRY;
  }

  /** Called after every commit, so it must cost nothing. */
  consider(): void {
    if (this.#closed || this.#writing || this.#retry || this.#adapter.journal.failure) return;
    const { read, journalBytes } = this.#adapter.wear;
    if (journalBytes > this.#limits.journalBytes && read > 2 * this.#low.data.size) this.#start();
  }

  /** A new snapshot now, whatever the limits say. */
  async compact(): Promise<void> {
    // Whoever waited looks again: another may have been quicker.
    while (this.#writing) await this.#writing.catch(() => {});
    if (this.#closed) throw new StoreUnavailable('the store is closed');
    await this.#write();
  }

  /** Tries until the store can write again. */
  heal(): void {
    this.#retryLater();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#writing?.catch(() => {});
  }

  #start(): void {
    this.#write().catch((error) => {
      if (this.#closed) return;
      this.#log.error({ err: error, retryInMs: this.#wait }, 'could not write a snapshot of the store');
      this.#retryLater();
    });
  }

  #write(): Promise<void> {
    const healing = this.#adapter.journal.failure !== undefined;
    const startedAt = performance.now();
    this.#writing = this.#low
      .write()
      .then(() => {
        this.#wait = this.#limits.firstRetry ?? FIRST_RETRY;
        const ms = Math.round(performance.now() - startedAt);
        if (healing) this.#log.warn({ ms }, 'the store writes again');
        else this.#log.info({ ms, rows: this.#low.data.size }, 'the store was compacted');
      })
      .finally(() => {
        this.#writing = undefined;
      });
    return this.#writing;
  }

  #retryLater(): void {
    if (this.#closed || this.#retry) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      if (this.#writing) this.#retryLater();
      else if (this.#adapter.journal.failure) this.#start();
      else this.consider();
    }, this.#wait).unref();
    this.#wait = Math.min(this.#wait * 2, LAST_RETRY);
  }
}
