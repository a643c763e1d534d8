import { Agent, type AgentOptions } from 'node:http';
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
const agents: Agent[] = [];

/** An agent that keeps connections for a next request until {@link dropIdle}. */
export function keepingAgent(more: AgentOptions = {}): Agent {
  const agent = new Agent({ ...more, keepAlive: true });
  agents.push(agent);
  return agent;
}

/**
 * Whoever asked is done: the connections that `fetch` and such agents keep for a next request are closed, those with a request
 * under way when that is answered. A server that ends gives an idle one a second, which nobody needs who asks no more.
 */
export function dropIdle(): void {
  for (const { freeSockets } of agents)
    for (const socket of Object.values(freeSockets).flatMap((sockets) => sockets ?? [])) socket.destroy();
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
