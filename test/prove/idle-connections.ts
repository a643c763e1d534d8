import type { Duration } from '../../src/lib/index.ts';

/** Where Node keeps what every `fetch` goes through. */
const DISPATCHER = Symbol.for('undici.globalDispatcher.1');

interface Dispatcher {
  readonly constructor: new (options: { keepAliveTimeout: Duration; keepAliveMaxTimeout: Duration }) => Dispatcher;
  close(): Promise<void>;
}

/**
 * While it works, `fetch` lets go of connections that were idle for so long. Whoever sends on an idle connection in the
 * moment in which the other side closes it gets no answer, and no server can help that (RFC 9112 §9.5).
 */
export async function droppingIdle<R>(after: Duration, work: () => Promise<R>): Promise<R> {
  // Node makes it at the first use.
  await fetch('data:,');
  const all = globalThis as unknown as Record<symbol, Dispatcher>;
  const before = all[DISPATCHER]!;
  const own = new before.constructor({ keepAliveTimeout: after, keepAliveMaxTimeout: after });
  all[DISPATCHER] = own;
  try {
    return await work();
  } finally {
    all[DISPATCHER] = before;
    await own.close();
  }
}
