import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Settings } from '../config/index.ts';
import { type Domain, markDataMade, openDomain, openMasterKey } from '../domain/index.ts';
import { type Logger, Refusal, seconds } from '../lib/index.ts';
import { StoreLocked } from '../store/file/index.ts';
import { openStore } from '../store/open.ts';
import { type OperationName, perform } from './operations/index.ts';
import { openFolder, SOCKET } from './socket.ts';

interface Options {
  readonly settings: Settings;
  readonly log: Logger;
  readonly pid: number;
}

export type Ask = (operation: OperationName, args?: object) => Promise<unknown>;

/** How long the server may think, and how long a store may be locked by somebody who does not answer. */
const ANSWER_WITHIN = seconds(60);
const UNLOCKED_WITHIN = seconds(3);

/**
 * Asks the running server to do something; where none runs, opens the store under its lock and does it here. A server
 * that is just starting or stopping is waited for. On PostgreSQL it is done here in any case: the servers hear of it.
 */
export function createAsk({ settings, log, pid }: Options): Ask {
  return async (operation, args = {}) => {
    if (settings.database_url !== undefined) return here(await openHere({ settings, log, pid }), operation, args);
    const giveUp = performance.now() + UNLOCKED_WITHIN;
    for (;;) {
      const socket = await reach(settings.data);
      if (socket) return converse(socket, operation, args);
      const opened = await openHere({ settings, log, pid }).catch((error: unknown) => {
        if (!isPassing(error)) throw error;
        if (performance.now() < giveUp) return undefined;
        const { message } = error as Error;
        throw new Refusal('server_silent', `${message}, and that one does not answer on its control socket`);
      });
      if (opened) return here(opened, operation, args);
      await pause(50 + Math.random() * 100);
    }
  };
}

/** Somebody has the store, or let go of it while we looked: a file that was listed was gone (ENOENT). */
const isPassing = (error: unknown): boolean =>
  error instanceof StoreLocked || (error as NodeJS.ErrnoException).code === 'ENOENT';

/** A connection to the server, or undefined when nobody listens. */
async function reach(folder: string): Promise<Socket | undefined> {
  let opened: Awaited<ReturnType<typeof openFolder>> | undefined;
  try {
    opened = await openFolder(folder);
    const socket = connect(`${opened.path}/${SOCKET}`);
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    throw new Refusal('control_socket', `cannot reach the server through ${folder}/${SOCKET} (${code})`, {
      cause: error,
    });
  } finally {
    await opened?.handle.close();
  }
}

async function converse(socket: Socket, operation: OperationName, args: object): Promise<unknown> {
  socket.setTimeout(ANSWER_WITHIN, () => socket.destroy());
  const chunks: Buffer[] = [];
  try {
    socket.write(`${JSON.stringify({ operation, arguments: args })}\n`);
    for await (const chunk of socket) chunks.push(chunk);
  } catch {
    // A connection that broke is an answer that is not whole.
  }
  const { result, error } = answerIn(Buffer.concat(chunks).toString('utf8'));
  if (error) throw new Refusal(error.code, error.message);
  return result;
}

function answerIn(text: string): { result?: unknown; error?: { code: string; message: string } } {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Refusal(
      'no_answer',
      'the server ended before it answered, so it may or may not be done: look before you repeat it',
      { cause },
    );
  }
}

interface Opened {
  readonly domain: Domain;
  close(): Promise<void>;
}

async function openHere({ settings, log, pid }: Options): Promise<Opened> {
  const masterKey = openMasterKey({ folder: settings.keys, override: settings.master_key });
  const store = await openStore({ settings, log, pid, mustExist: !masterKey.fresh });
  try {
    markDataMade(settings.keys);
    const domain = await openDomain({ store, now: store.now, settings, log, masterKey });
    return { domain, close: () => domain.close().finally(() => store.close()) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function here({ domain, close }: Opened, operation: OperationName, args: object): Promise<unknown> {
  try {
    return await perform(domain, operation, args);
  } finally {
    await close();
  }
}
