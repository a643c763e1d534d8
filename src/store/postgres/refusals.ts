import { type Duration, seconds } from '../../lib/index.ts';
import { StoreUnavailable } from '../contract.ts';
import type { Connections } from './connections.ts';
import { codeOf, isAnswered, unavailable } from './errors.ts';

/** Locks, races and time limits: the next commit may be luckier. */
const PASSING = /^(40|55P03|57014)/;

/** A commit that was refused speaks for those to come this long; after that a write of ours finds out. */
const BELIEVED: Duration = seconds(2);

/**
 * Whether a database that answers takes commits. Its disk may be full, or a permission gone, and nothing but a write
 * tells.
 */
export class Refusals {
  readonly #connections: Connections;
  #last: { readonly words: string; readonly at: number } | undefined;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  /** How a commit ended: `undefined` where it happened. */
  heard(error: unknown): void {
    if (error === undefined) this.#last = undefined;
    else if (error instanceof StoreUnavailable && isAnswered(error.cause) && !PASSING.test(codeOf(error.cause)))
      this.#last = { words: error.message, at: performance.now() };
  }

  /** Why commits are refused; undefined while they are not. */
  async now(): Promise<string | undefined> {
    if (this.#last && performance.now() - this.#last.at > BELIEVED) this.heard(await this.#write());
    return this.#last?.words;
  }

  async #write(): Promise<unknown> {
    const text = `INSERT INTO postern.commits (id, happened) VALUES ('', false) ON CONFLICT (id) DO UPDATE SET at = now()`;
    try {
      await this.#connections.run({ text }, this.#connections.deadline());
      return undefined;
    } catch (error) {
      return unavailable(error);
    }
  }
}
