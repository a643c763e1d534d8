import { createServer, type Socket } from 'node:net';
import { queueIsEmpty } from '../http/drain.ts';
import { type Entrance, openPort } from '../http/listen.ts';
import { type Logger, seconds } from '../lib/index.ts';

/** Connections that wait for a worker where none serves. */
const MOST_WAITING = 1000;
/** How long one may be here before a worker has taken it. */
const WAIT = seconds(10);

interface Options {
  readonly host: string;
  readonly port: number;
  readonly log: Logger;
  /** Hands it to a worker; false where none serves. */
  readonly give: (connection: Socket) => boolean;
}

/** The port of all workers. */
export interface Door extends Entrance {
  /** A worker serves again: hands on whoever waits. */
  readonly retry: () => void;
  /** Takes a connection back that did not reach its worker. */
  readonly again: (connection: Socket) => void;
  /** Hands on what was accepted, and accepts no more. */
  close(): Promise<void>;
}

/**
 * Accepts connections without reading from them, each for one of the workers. The port is the primary's own, so it stays
 * open while workers come and go, and nothing that was accepted is lost with it.
 * @throws Refusal as {@link openPort}
 */
export async function openDoor({ host, port, log, give }: Options): Promise<Door> {
  const server = createServer({ pauseOnConnect: true, noDelay: true });
  const waiting = new Set<Socket>();
  let accepted = 0;

  function pass(connection: Socket): void {
    if (give(connection)) return;
    if (waiting.size >= MOST_WAITING) return void connection.destroy();
    waiting.add(connection);
    connection.once('close', () => waiting.delete(connection));
  }

  server.on('connection', (connection) => {
    accepted += 1;
    connection.on('error', () => connection.destroy());
    connection.setTimeout(WAIT, () => connection.destroy());
    pass(connection);
  });
  const entrance = await openPort(server, { host, port });
  server.on('error', (err) => log.error({ err }, 'a connection could not be accepted'));

  return {
    ...entrance,
    again: pass,
    retry() {
      for (const connection of [...waiting]) {
        waiting.delete(connection);
        pass(connection);
      }
    },
    async close() {
      await queueIsEmpty(() => accepted);
      server.close();
      for (const connection of waiting) connection.destroy();
    },
  };
}
