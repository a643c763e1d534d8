import { chmod, rename, unlink } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import type { Domain } from '../domain/index.ts';
import { type Logger, newSecret, Refusal, seconds } from '../lib/index.ts';
import { StoreUnavailable } from '../store/index.ts';
import { BACKUP, type Backup, type Taken } from './backup.ts';
import { openFolder, SOCKET } from './socket.ts';

interface Options {
  readonly folder: string;
  readonly domain: Domain;
  readonly log: Logger;
  /** Makes a backup of everything as of now. */
  readonly backup: () => Backup;
}

/**
 * A request is one line of JSON, `{"operation", "arguments"}`; so is the answer, `{"result"}` or `{"error"}`. The
 * operation {@link BACKUP} is answered by the lines of the backup first; none of them begins with a brace.
 */
const LARGEST_REQUEST = 64 * 1024 * 1024;
const PATIENCE = seconds(10);
/** The same for an answer while the server stops. */
const LAST_PATIENCE = seconds(1);
/** How long whoever asked for a backup may take nothing of it. */
const BACKUP_PATIENCE = seconds(60);
const MOST_AT_ONCE = 32;

/**
 * Lets the command line reach this server: a Unix socket in the data folder that only our user may open. Called by
 * whoever holds the store's lock, so a socket that is there already was left by a process that died.
 */
export async function serveControl({ folder, ...able }: Options): Promise<{ close(): Promise<void> }> {
  const { log } = able;
  const { path, handle } = await openFolder(folder);
  const closing = new AbortController();
  const open = new Set<Socket>();
  const working = new Set<Promise<void>>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    const done = converse(socket, { ...able, closing: closing.signal }).finally(() => working.delete(done));
    working.add(done);
  });
  server.maxConnections = MOST_AT_ONCE;
  // Made under another name and renamed: nobody ever meets it before its mode is 0600, and a stale one is replaced.
  const temporary = `${path}/.control-${newSecret().slice(0, 8)}`;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(temporary, resolve);
    });
    await chmod(temporary, 0o600);
    await rename(temporary, `${path}/${SOCKET}`);
  } catch (cause) {
    server.close();
    await handle.close();
    throw new Refusal('control_socket', `cannot make ${folder}/${SOCKET}: ${(cause as Error).message}`, { cause });
  }
  server.on('error', (error) => log.error({ err: error }, 'the control socket failed'));

  return {
    /** Answers what was asked already, then lets go. A backup is given up: it may take longer than a stop may. */
    async close(): Promise<void> {
      closing.abort();
      await unlink(`${path}/${SOCKET}`).catch(() => {});
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
      await Promise.allSettled([...working]);
      for (const socket of open) socket.destroySoon();
      await closed;
      await handle.close();
    },
  };
}

interface Able extends Omit<Options, 'folder'> {
  readonly closing: AbortSignal;
}

async function converse(socket: Socket, able: Able): Promise<void> {
  socket.setTimeout(PATIENCE, () => socket.destroy());
  const line = await readLine(socket, LARGEST_REQUEST);
  if (line === undefined) return;
  socket.setTimeout(0);
  const answer = line === 'too large' ? tooLarge : await answerTo(line, socket, able);
  if (!socket.destroyed) await tell(socket, answer, able.closing);
}

/** A command line that was suspended takes nothing of a long answer; nobody stops for it. */
async function tell(socket: Socket, answer: unknown, closing: AbortSignal): Promise<void> {
  const patience = () => void socket.setTimeout(closing.aborted ? LAST_PATIENCE : PATIENCE);
  patience();
  closing.addEventListener('abort', patience);
  await new Promise<void>((resolve) => socket.end(`${JSON.stringify(answer)}\n`, () => resolve()));
  closing.removeEventListener('abort', patience);
}

const tooLarge = { error: { code: 'request_too_large', message: 'the request is longer than 64 MiB' } };

async function answerTo(line: string, socket: Socket, { domain, log, backup, closing }: Able): Promise<unknown> {
  try {
    const request: unknown = parse(line);
    const { operation, arguments: args } = (request ?? {}) as { operation?: unknown; arguments?: unknown };
    if (operation === BACKUP) return { result: await send(socket, backup(), closing) };
    // Loaded with the first command: most servers hear none.
    const { perform } = await import('../operations/index.ts');
    return { result: await perform(domain, operation, args, { evenLast: true }) };
  } catch (error) {
    if (error instanceof Refusal) return { error: { code: error.code, message: error.message } };
    if (error instanceof StoreUnavailable) return { error: { code: 'store_unavailable', message: error.message } };
    log.error({ err: error }, 'a command failed');
    return { error: { code: 'internal', message: 'the server failed at it; its log says why' } };
  }
}

/** As fast as it is taken. */
async function send(socket: Socket, pieces: Backup, closing: AbortSignal): Promise<Taken> {
  socket.setTimeout(BACKUP_PATIENCE);
  for (;;) {
    const { done, value } = await pieces.next();
    if (done) return value;
    if (!socket.write(value)) await drained(socket, closing);
    if (!closing.aborted && !socket.destroyed) continue;
    await pieces.return(undefined as never);
    throw new Refusal('stopping', 'the server is stopping: the backup was given up');
  }
}

/** Resolves when more can be written, or there is no use in it. */
function drained(socket: Socket, closing: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      closing.removeEventListener('abort', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
    closing.addEventListener('abort', done);
    if (socket.destroyed || closing.aborted) done();
  });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new Refusal('request_invalid', 'the request is not JSON', { cause });
  }
}

/** The first line, or undefined when the connection ends without one. Stops reading what is larger than `most` bytes. */
function readLine(socket: Socket, most: number): Promise<string | 'too large' | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (line: string | undefined): void => {
      socket.off('data', take);
      socket.resume();
      resolve(line);
    };
    const take = (chunk: Buffer): void => {
      const end = chunk.indexOf(10);
      chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
      size += chunk.length;
      if (size > most) finish('too large');
      else if (end >= 0) finish(Buffer.concat(chunks).toString('utf8'));
    };
    socket.on('data', take);
    socket.once('end', () => finish(undefined));
    socket.once('close', () => finish(undefined));
  });
}
