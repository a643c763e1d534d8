import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import { type Duration, type Logger, Refusal, seconds, silent } from '../lib/index.ts';
import { drainable, queueIsEmpty } from './drain.ts';
import { inTurn } from './in-turn.ts';
import { answerInOneShape, connectionInOneShape } from './one-shape.ts';

interface Serving {
  /** `app.callback()`. */
  readonly handler: RequestListener;
  /** How long, once draining, a connection may be idle before it is closed; a second unless given. */
  readonly linger?: Duration;
  readonly timeouts?: Partial<typeof TIMEOUTS>;
}

interface Address {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** What the operator sets them by, for a message. */
  readonly setBy?: { readonly host: string; readonly port: string };
}

const SET_BY = { host: 'POSTERN_HOST', port: 'POSTERN_PORT' };

interface Options extends Serving, Address {
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

/** @throws Refusal as {@link openPort} */
export async function listen({ host, port, setBy, logger = silent, ...serving }: Options): Promise<Listening> {
  const { server, drain } = serve(serving);
  let accepted = 0;
  server.on('connection', () => {
    accepted++;
  });
  const address = await openPort(server, { host, port, ...(setBy && { setBy }) });
  server.on('error', (err) => logger.error({ err }, 'a connection could not be accepted'));
  return closing(address, (grace) =>
    drain(grace, async () => {
      await queueIsEmpty(() => accepted);
      // net.Server's close stops accepting and no more; http.Server's would cut the idle connections first.
      NetServer.prototype.close.call(server);
    }),
  );
}

/** Where the process that accepts connections does so. */
export interface Entrance {
  readonly url: string;
  readonly port: number;
}

/** {@link Listening} on connections that are handed in. */
export interface Receiving extends Listening {
  /** Takes a connection in the moment in which it arrives, before anything of it was read. */
  take(socket: Socket): void;
}

/** Serves connections that another process accepted. */
export function receive({ url, port, ...serving }: Serving & Entrance): Receiving {
  const { server, drain } = serve(serving);
  // Without a port of its own it would never look whether somebody is too slow.
  server.emit('listening');
  const listening = closing({ url, port }, (grace) => drain(grace, async () => {}));
  return Object.assign(listening, {
    take(socket: Socket) {
      server.emit('connection', socket);
      socket.resume();
    },
  });
}

function serve({ handler, linger = seconds(1), timeouts }: Serving) {
  const server = createServer({ ...TIMEOUTS, ...timeouts, maxHeaderSize: MAX_HEADER_BYTES });
  server.on('connection', connectionInOneShape);
  const { answering, drain } = drainable(server, linger);
  const answer = inTurn(handler);
  // One listener: for several Node copies the list of them at each request.
  server.on('request', (req, res) => {
    answerInOneShape(res);
    answering(res);
    discardRest(req, res);
    answer(req, res);
  });
  return { server, drain };
}

function closing({ url, port }: Entrance, end: (grace: Duration) => Promise<void>): Listening {
  let closed: Promise<void> | undefined;
  return {
    url,
    port,
    get draining() {
      return closed !== undefined;
    },
    close: ({ grace = seconds(10) } = {}) => {
      closed ??= end(grace);
      return closed;
    },
  };
}

/** Node discards a body that nobody began to read. One that was given up in the middle would block its connection. */
function discardRest({ headers }: IncomingMessage, res: ServerResponse): void {
  if ('content-length' in headers || 'transfer-encoding' in headers) res.on('finish', resume);
}

function resume(this: ServerResponse): void {
  this.req.resume();
}

/** @throws Refusal `address_in_use`, `address_not_allowed` or `address_unknown` in words for the operator. */
export function openPort(server: NetServer, address: Address): Promise<Entrance> {
  const { host, port } = address;
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, address)));
    server.listen({ host, port }, () => {
      server.removeAllListeners('error');
      const bound = (server.address() as AddressInfo).port;
      resolve({ url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`, port: bound });
    });
  });
}

function explain(error: NodeJS.ErrnoException, { host, port, setBy = SET_BY }: Address): Error {
  const refuse = (code: string, message: string) => new Refusal(code, message, { cause: error });
  switch (error.code) {
    case 'EADDRINUSE':
      return refuse(
        'address_in_use',
        `port ${port} on ${host} is in use by another program: stop it, or set ${setBy.port} to another`,
      );
    case 'EACCES':
      return refuse(
        'address_not_allowed',
        `port ${port} on ${host} is not allowed to this user: set ${setBy.port} to one above 1023`,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return refuse('address_unknown', `${host} is no address of this machine: set ${setBy.host} to one that is`);
    default:
      return error;
  }
}
