import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import { type Duration, type Logger, Refusal, seconds, silent } from '../lib/index.ts';

interface Options {
  /** `app.callback()`. */
  readonly handler: RequestListener;
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** How long, once draining, a connection may be idle before it is closed; a second unless given. */
  readonly linger?: Duration;
  readonly timeouts?: Partial<typeof TIMEOUTS>;
  /** Hears of connections that could not be accepted: there are too many open files, say. */
  readonly logger?: Logger;
}

export interface Listening {
  /** By the address it listens on, which need not be the issuer. */
  readonly url: string;
  readonly port: number;
  /** True from the first call of close on. */
  readonly draining: boolean;
  /**
   * Stops accepting, answers what was asked, and resolves when every connection is closed, at the latest after `grace`
   * (10 s unless given), when what is left is cut. Never rejects; calling it again waits for the same end.
   */
  close(options?: { readonly grace?: Duration }): Promise<void>;
}

/**
 * `keepAliveTimeout` is longer than that of the usual balancers (nginx and AWS: 60 s), so that it is they who close an
 * idle connection, never we while their next request is under way. Google's keep theirs for 600 s and retry.
 */
const TIMEOUTS = {
  /** To send the headers of a request, then the whole of it: slow senders hold connections no longer. */
  headersTimeout: seconds(15),
  requestTimeout: seconds(30),
  keepAliveTimeout: seconds(75),
  /** How often the first two are looked at. */
  connectionsCheckingInterval: seconds(5),
};

const MAX_HEADER_BYTES = 16 * 1024;

/** Pieces an idle connection's last while is waited in. */
const HOPS = 5;

/** Turns of the event loop that a queue of new connections is given when draining: an endless one is cut off. */
const MOST_TURNS = 1_000;

/** @throws Refusal `address_in_use`, `address_not_allowed` or `address_unknown` in words for the operator. */
export async function listen(options: Options): Promise<Listening> {
  const { handler, host, port, linger = seconds(1), timeouts, logger = silent } = options;
  const server = createServer({ ...TIMEOUTS, ...timeouts, maxHeaderSize: MAX_HEADER_BYTES });
  const drain = drainable(server, linger);
  server.on('request', discardRest);
  server.on('request', handler);
  await opened(server, host, port);
  server.on('error', (err) => logger.error({ err }, 'a connection could not be accepted'));
  const bound = (server.address() as AddressInfo).port;
  let closed: Promise<void> | undefined;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    port: bound,
    get draining() {
      return closed !== undefined;
    },
    close: ({ grace = seconds(10) } = {}) => {
      closed ??= drain(grace);
      return closed;
    },
  };
}

/** Node discards a body that nobody began to read. One that was given up in the middle would block its connection. */
function discardRest(req: IncomingMessage, res: ServerResponse): void {
  res.once('finish', () => req.resume());
}

function opened(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, host, port)));
    server.listen({ host, port }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const refuse = (code: string, message: string) => new Refusal(code, message, { cause: error });
  switch (error.code) {
    case 'EADDRINUSE':
      return refuse(
        'address_in_use',
        `port ${port} on ${host} is in use by another program: stop it or set another port`,
      );
    case 'EACCES':
      return refuse('address_not_allowed', `port ${port} on ${host} is not allowed to this user: set one above 1023`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return refuse('address_unknown', `${host} is no address of this machine: set another host`);
    default:
      return error;
  }
}

/**
 * Closing without losing a request. Node's own `close` cuts idle connections at once, and with them a request the client
 * has sent and we have not read. Here a connection that is idle gets a while in which its next request is still
 * answered, with `Connection: close`, which tells the client to go elsewhere.
 */
function drainable(server: Server, linger: Duration): (grace: Duration) => Promise<void> {
  const connections = new Map<Socket, Set<ServerResponse>>();
  /** How to call off the closing of an idle connection. */
  const timers = new WeakMap<Socket, () => void>();
  let accepted = 0;
  let draining = false;

  // In hops, so that a stall of ours, which makes every timer due at once, is no time the client had.
  const closeWhenIdle = (socket: Socket, hops = HOPS): void => {
    const timer = setTimeout(() => {
      if (connections.get(socket)?.size !== 0) return;
      if (hops > 1) closeWhenIdle(socket, hops - 1);
      else socket.destroySoon();
    }, linger / HOPS);
    timers.get(socket)?.();
    timers.set(socket, () => clearTimeout(timer));
  };

  server.on('connection', (socket) => {
    accepted++;
    connections.set(socket, new Set());
    socket.once('close', () => {
      connections.delete(socket);
      timers.get(socket)?.();
    });
    if (draining) closeWhenIdle(socket);
  });

  server.on('request', (req, res) => {
    const { socket } = req;
    const active = connections.get(socket);
    active?.add(res);
    if (draining) res.shouldKeepAlive = false;
    res.once('close', () => {
      active?.delete(res);
      if (draining && !socket.destroyed) closeWhenIdle(socket);
    });
  });

  return async (grace) => {
    draining = true;
    // Closing resets the connections that wait in the kernel's queue: not before a turn has accepted none.
    for (let turns = 0, before = -1; before !== accepted && turns < MOST_TURNS; turns++) {
      before = accepted;
      await new Promise((resolve) => setImmediate(resolve));
    }
    // net.Server's close stops accepting and waits; http.Server's would cut the idle connections first.
    const closed = new Promise<void>((resolve) => {
      NetServer.prototype.close.call(server, () => resolve());
    });
    for (const [socket, active] of connections) {
      for (const res of active) if (!res.headersSent) res.shouldKeepAlive = false;
      if (active.size === 0) closeWhenIdle(socket);
    }
    const cut = setTimeout(() => server.closeAllConnections(), grace);
    await closed;
    clearTimeout(cut);
    // What remains of http.Server's own close: its timer.
    server.close(() => {});
  };
}
