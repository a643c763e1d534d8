import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock, Duration } from '../lib/index.ts';
import { StoreUnavailable } from './contract.ts';

const current = new AsyncLocalStorage<Patience>();

const monotonic: Clock = () => performance.now();

/**
 * How long one piece of work, a request say, waits for its store: all its waits together, one after the other or at the
 * same time, however many there are. What it does between them costs none of it.
 */
export class Patience {
  readonly #now: Clock;
  #left: Duration;
  #waits = 0;
  #since = 0;

  constructor(limit: Duration, now: Clock = monotonic) {
    this.#left = limit;
    this.#now = now;
  }

  /** Does the work, and whatever it begins, with this patience. */
  run<R>(work: () => R): R {
    return current.run(this, work);
  }

  /** Nobody waits for an answer any more: what the work left behind has all the time it wants. */
  end(): void {
    this.#left = Number.POSITIVE_INFINITY;
  }

  get left(): Duration {
    return this.#waits > 0 ? this.#left - (this.#now() - this.#since) : this.#left;
  }

  begin(): void {
    if (this.#waits === 0) this.#since = this.#now();
    this.#waits += 1;
  }

  settle(): void {
    const { left } = this;
    this.#waits -= 1;
    if (this.#waits === 0) this.#left = left;
  }
}

/**
 * A call of a store that may hang. It is answered within `limit`, and within what is left of the patience of the work that
 * makes it.
 * @param call is told how long somebody waits for it, in milliseconds; what comes later is heard by nobody
 * @throws StoreUnavailable when that is over
 */
export async function inTime<R>(limit: Duration, call: (left: Duration) => Promise<R>): Promise<R> {
  const patience = current.getStore();
  const left = Math.min(limit, patience?.left ?? limit);
  const tooLate = () => new StoreUnavailable('the database took too long');
  if (left <= 0) throw tooLate();
  let timer: NodeJS.Timeout | undefined;
  patience?.begin();
  try {
    const over = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(tooLate()), left);
    });
    return await Promise.race([call(left), over]);
  } finally {
    clearTimeout(timer);
    patience?.settle();
  }
}
