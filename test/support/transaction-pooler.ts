import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Type byte and length. */
const HEAD = 5;
const AUTHENTICATION = 'R';
const READY = 'Z';
const TERMINATE = 'X';
const IDLE = 'I'.charCodeAt(0);

const message = (type: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(HEAD);
  head.write(type);
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};

/** Cuts a stream into the messages of PostgreSQL's protocol; the first of a client has no type. */
function inMessages(socket: Socket, { typed }: { typed: boolean }, each: (type: string, whole: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  let hasType = typed;
  socket.on('data', (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      const at = hasType ? 1 : 0;
      const length = rest.length < at + 4 ? Number.POSITIVE_INFINITY : at + rest.readUInt32BE(at);
      if (rest.length < length) return;
      const whole = rest.subarray(0, length);
      rest = rest.subarray(length);
      each(hasType ? String.fromCharCode(whole[0]!) : '', whole);
      hasType = true;
    }
  });
}

/** A session with the database, and whose transaction it is in. */
interface Session {
  readonly socket: Socket;
  user: Socket | undefined;
}

/** `transaction`: each has any session; `session`: each keeps its own. */
type Mode = 'transaction' | 'session';

interface TransactionPooler {
  readonly port: number;
  /** Who asks from now on has sessions in this way. */
  mode: Mode;
  /** Ends every connection there is. */
  cut(): void;
  close(): Promise<void>;
}

interface Options {
  /** The database's port; it must ask for the password in clear. */
  readonly target: number;
  readonly password: string;
  readonly mode: Mode;
  /** Which of the idle sessions is given next: the one used last, or the one used longest ago. */
  readonly next?: 'last' | 'longest-idle';
}

/**
 * A pooler as PgBouncer is one: clients are told they are in at once, and have a session of the database from their first
 * word until `mode` says that they have it no more. Nobody waits for one: there are as many as are needed.
 */
export async function transactionPooler({
  target,
  password,
  mode,
  next = 'last',
}: Options): Promise<TransactionPooler> {
  const sockets = new Set<Socket>();
  const idle: Session[] = [];
  let clients = 0;

  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };

  /** Signs in as the client wanted to; what it said first is said to the database. */
  async function openSession(startup: Buffer): Promise<Session> {
    const socket = connect({ port: target, host: '127.0.0.1', noDelay: true });
    keep(socket);
    const session: Session = { socket, user: undefined };
    const ready = new Promise<void>((resolve, reject) => {
      socket.once('close', () => reject(new Error('no session')));
      inMessages(socket, { typed: true }, (type, whole) => {
        if (session.user) session.user.write(whole);
        else if (type === AUTHENTICATION && whole.readUInt32BE(HEAD) === 3)
          socket.write(message('p', Buffer.from(`${password}\0`)));
        if (type !== READY) return;
        resolve();
        if (pooler.mode === 'transaction' && session.user && whole[HEAD] === IDLE) {
          session.user = undefined;
          idle.push(session);
        }
      });
    });
    socket.write(startup);
    await ready;
    return session;
  }

  const server = createServer({ noDelay: true }, (near) => {
    keep(near);
    clients += 1;
    const number = clients;
    let startup: Buffer | undefined;
    let own: Session | undefined;
    let before = Promise.resolve();
    near.on('close', () => {
      if (own?.user === near) own.socket.destroy();
    });
    const pass = async (whole: Buffer): Promise<void> => {
      if (own?.user !== near) {
        own = (next === 'last' ? idle.pop() : idle.shift()) ?? (await openSession(startup!));
        own.user = near;
      }
      own.socket.write(whole);
    };
    inMessages(near, { typed: false }, (type, whole) => {
      if (type === TERMINATE) return void near.end();
      if (startup) {
        before = before.then(() => pass(whole)).catch(() => void near.destroy());
        return;
      }
      startup = whole;
      const key = Buffer.alloc(8);
      // No process has such a number.
      key.writeInt32BE(-number);
      near.write(
        Buffer.concat([
          message(AUTHENTICATION, Buffer.alloc(4)),
          message('K', key),
          message(READY, Buffer.from([IDLE])),
        ]),
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const pooler: TransactionPooler = {
    port: (server.address() as { port: number }).port,
    mode,
    cut() {
      idle.length = 0;
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      pooler.cut();
      server.close();
      await once(server, 'close');
    },
  };
  return pooler;
}
