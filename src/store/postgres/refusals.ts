import { type Duration, seconds } from '../../lib/index.ts';
import { StoreUnavailable } from '../contract.ts';
import type { Connections } from './connections.ts';
import { codeOf, isAnswered, NotConnected, unavailable } from './errors.ts';

/** Locks, races and time limits: the next commit may be luckier. */
const PASSING = /^(40|55P03|57014)/;

/** What was found out speaks for the commits to come this long; after that a write of ours finds out anew. */
const BELIEVED: Duration = seconds(2);

const SILENT = 'the database answers reads and no commit: a synchronous standby may be gone, or its disk hang';

interface Refused {
  readonly words: string;
  readonly at: number;
  /** It says nothing at all. Each commit that is given up leaves a connection over there, and it has no end of those. */
  readonly silent: boolean;
}

/**
 * Whether a database that answers takes commits. Its disk may be full, a permission gone, or the standby that has to confirm
 * them: nothing but a write tells.
 */
export class Refusals {
  readonly #connections: Connections;
  #last: Refused | undefined;
  #asking: Promise<void> | undefined;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  /** Whether the database answers reads and no commit, as far as is known. */
  get silent(): boolean {
    return this.#last?.silent === true;
  }

  /** Waits for a write of ours, where none was made lately. @throws StoreUnavailable while the database answers none */
  async mayCommit(): Promise<void> {
    if (this.#isOld()) await this.#ask();
    if (this.#last?.silent) throw new StoreUnavailable(this.#last.words);
  }

  /** How a commit ended: `undefined` where it happened. */
  heard(error: unknown): void {
    // A relaxed commit is answered where a strict one is not.
    if (error === undefined) this.#last = this.silent ? this.#last : undefined;
    else if (isRefused(error)) this.#last = { words: error.message, at: performance.now(), silent: false };
    // It may have waited for a row that somebody holds: a write that wants no such row tells.
    else if (isSilence(error)) void this.#ask();
  }

  /** Why commits are refused; undefined while they are not. */
  async now(): Promise<string | undefined> {
    if (this.#asking || this.#isOld()) await this.#ask();
    return this.#last?.words;
  }

  #isOld(): boolean {
    return this.#last !== undefined && performance.now() - this.#last.at > BELIEVED;
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#write().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #write(): Promise<void> {
    const at = performance.now();
    try {
      await this.#connections.run({ text: WRITE }, this.#connections.deadline());
      this.#last = undefined;
    } catch (cause) {
      const error = unavailable(cause);
      if (isRefused(error)) this.#last = { words: error.message, at, silent: false };
      else if (isSilence(error)) this.#last = { words: SILENT, at, silent: true };
    }
  }
}

/**
 * As strict as a commit. One row for everybody: where one write hangs for good, those behind it wait for its lock, and end in
 * time.
 */
const WRITE = `INSERT INTO postern.commits (id, happened)
  SELECT '', set_config('synchronous_commit', CASE own WHEN 'off' THEN 'on' ELSE own END, true) IS NULL
    FROM current_setting('synchronous_commit') own
  ON CONFLICT (id) DO UPDATE SET at = now()`;

const isRefused = (error: unknown): error is StoreUnavailable =>
  error instanceof StoreUnavailable && isAnswered(error.cause) && !PASSING.test(codeOf(error.cause));

/** Sent, and nothing came back in time. */
const isSilence = (error: unknown): boolean =>
  error instanceof StoreUnavailable &&
  !(error.cause instanceof NotConnected) &&
  (!isAnswered(error.cause) || codeOf(error.cause) === '57014');
