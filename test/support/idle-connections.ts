import type { Duration } from '../../src/lib/index.ts';

/** Where Node keeps what every `fetch` goes through. */
const DISPATCHER = Symbol.for('undici.globalDispatcher.1');

interface Options {
  readonly keepAliveTimeout?: Duration;
  readonly keepAliveMaxTimeout?: Duration;
}

interface Dispatcher {
  readonly constructor: new (options: Options) => Dispatcher;
  close(): Promise<void>;
}

let options: Options = {};

/**
 * Whoever used `fetch` is done: the connections it keeps for a next request are closed, those with a request under way when
 * that is answered. A server that ends gives an idle one a second, which nobody needs who knows that no request comes.
 */
export function dropIdle(): void {
  const all = globalThis as unknown as Record<symbol, Dispatcher | undefined>;
  const before = all[DISPATCHER];
  // Node makes it at the first use.
  if (!before) return;
  all[DISPATCHER] = new before.constructor(options);
  void before.close();
}

/**
 * While it works, `fetch` lets go of connections that were idle for so long. Whoever sends on an idle connection in the
 * moment in which the other side closes it gets no answer, and no server can help that (RFC 9112 §9.5).
 */
export async function droppingIdle<R>(after: Duration, work: () => Promise<R>): Promise<R> {
  await fetch('data:,');
  options = { keepAliveTimeout: after, keepAliveMaxTimeout: after };
  dropIdle();
  try {
    return await work();
  } finally {
    options = {};
    dropIdle();
  }
}
