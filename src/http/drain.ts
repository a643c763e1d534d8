import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duration } from '../lib/index.ts';
import { answerUnderWay } from './in-turn.ts';

/** Pieces an idle connection's last while is waited in. */
const HOPS = 5;

/** Turns of the event loop that a queue of new connections is given when draining: an endless one is cut off. */
const MOST_TURNS = 1_000;

/**
 * Ends a server: lets it answer what was asked, and resolves when every connection is closed, at the latest after
 * `grace`, when what is left is cut.
 */
type Drain = (grace: Duration, stopAccepting: () => Promise<void>) => Promise<void>;

interface Drainable {
  /** Has an answer end its connection where we drain. To be called with every one before anybody else has it. */
  answering(res: ServerResponse): void;
  readonly drain: Drain;
}

/** Resolves once a turn of the event loop has accepted nothing: closing resets what waits in the kernel's queue. */
export async function queueIsEmpty(accepted: () => number): Promise<void> {
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  // Node accepts one connection a turn, and may have done so before what ends us was heard: what is left of this turn is none.
  await turn();
  for (let turns = 0, before = -1; before !== accepted() && turns < MOST_TURNS; turns++) {
    before = accepted();
    await turn();
  }
}

/**
 * Closing without losing a request. Node's own `close` cuts idle connections at once, and with them a request the client
 * has sent and we have not read. Here a connection that is idle gets a while in which its next request is still
 * answered, with `Connection: close`, which tells the client to go elsewhere.
 */
export function drainable(server: Server, linger: Duration): Drainable {
  const connections = new Set<Socket>();
  /** How to call off the closing of a connection. */
  const timers = new WeakMap<Socket, () => void>();
  let draining = false;
  const empty = Promise.withResolvers<void>();

  // In hops, so that a stall of ours, which makes every timer due at once, is no time the client had.
  const closeOnceIdle = (socket: Socket, hops = HOPS): void => {
    const timer = setTimeout(() => {
      if (answerUnderWay(socket)) closeOnceIdle(socket);
      else if (hops > 1) closeOnceIdle(socket, hops - 1);
      else socket.destroySoon();
    }, linger / HOPS);
    timers.set(socket, () => clearTimeout(timer));
  };

  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => {
      connections.delete(socket);
      timers.get(socket)?.();
      if (draining && connections.size === 0) empty.resolve();
    });
    if (draining) closeOnceIdle(socket);
  });

  function answering(res: ServerResponse): void {
    if (draining) res.shouldKeepAlive = false;
  }

  const drain: Drain = async (grace, stopAccepting) => {
    // First: a client that hears `Connection: close` connects anew at once, and is reset if that meets the closing port.
    await stopAccepting();
    draining = true;
    for (const socket of connections) {
      const res = answerUnderWay(socket);
      if (res && !res.headersSent) res.shouldKeepAlive = false;
      closeOnceIdle(socket);
    }
    if (connections.size === 0) empty.resolve();
    const cut = setTimeout(() => server.closeAllConnections(), grace);
    await empty.promise;
    clearTimeout(cut);
    // Nothing is left to cut; this stops its timer.
    server.close(() => {});
  };

  return { answering, drain };
}
