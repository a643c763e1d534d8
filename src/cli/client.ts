import { Socket } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Settings } from '../config/index.ts';
import { type Domain, lookAtKeys, type MasterKey, markDataMade, openDomain, openMasterKey } from '../domain/index.ts';
import { type Logger, Refusal, seconds } from '../lib/index.ts';
import { type OperationName, perform } from '../operations/index.ts';
import { isPassing, StoreLocked } from '../store/file/index.ts';
import { isBegun, type OpenedStore, openStore } from '../store/open.ts';
import { type Backup, takeBackup } from './backup.ts';
import { backupFrom, converse, reach } from './conversation.ts';

interface Options {
  readonly settings: Settings;
  readonly log: Logger;
  readonly pid: number;
  /** Told in words of what is done besides: that there was no store, and one was made. */
  readonly note: (line: string) => void;
  /** No store is made where there is none. */
  readonly mustExist?: boolean;
}

export type Ask = (operation: OperationName, args?: object) => Promise<unknown>;

/** How long a store may be locked by somebody who does not answer: other commands, one after the other, on a busy machine. */
const UNLOCKED_WITHIN = seconds(10);

/**
 * Asks the running server to do something; where none runs, opens the store under its lock and does it here. A server
 * that is just starting or stopping is waited for. On PostgreSQL it is done here in any case: the servers hear of it.
 */
export function createAsk(options: Options): Ask {
  return async (operation, args = {}) => {
    const reached = await reachStore(options);
    if (reached instanceof Socket) return converse(reached, operation, args);
    try {
      return await perform(reached.domain, operation, args, { evenLast: true });
    } finally {
      await reached.close();
    }
  };
}

/**
 * The pieces of a backup of the store, from the running server or from the store itself. Where there is none, none is made: a
 * backup of nothing, night after night, would look like one.
 */
export async function* createBackup(options: Options): Backup {
  const reached = await reachStore({ ...options, mustExist: true });
  if (reached instanceof Socket) return yield* backupFrom(reached);
  try {
    return yield* takeBackup({ ...reached, settings: options.settings });
  } finally {
    await reached.close();
  }
}

/** A connection to the server, or the store, opened. */
async function reachStore(options: Options): Promise<Socket | Opened> {
  const { settings } = options;
  if (settings.database_url !== undefined) return openHere(options);
  const giveUp = performance.now() + UNLOCKED_WITHIN;
  for (;;) {
    const socket = await reach(settings.data);
    if (socket) return socket;
    const opened = await openHere(options).catch((error: unknown) => {
      // A server that starts, and has no socket yet, is waited for like a command.
      if (!(error instanceof StoreLocked || isPassing(error))) throw error;
      if (performance.now() < giveUp) return undefined;
      const { message } = error as Error;
      throw new Refusal('server_silent', `${message}, and that one does not answer on its control socket`);
    });
    if (opened) return opened;
    await pause(50 + Math.random() * 100);
  }
}

interface Opened {
  readonly domain: Domain;
  readonly store: OpenedStore;
  readonly masterKey: MasterKey;
  close(): Promise<void>;
}

async function openHere({ settings, log, pid, note, mustExist = false }: Options): Promise<Opened> {
  const place = { folder: settings.keys, override: settings.master_key };
  const { fresh, made } = lookAtKeys({ ...place, mustExist });
  const store = await openStore({ settings, log, pid, brief: true, mustExist: mustExist || !fresh });
  try {
    const begun = await isBegun(store);
    const masterKey = openMasterKey({ ...place, made, mustExist: begun });
    const domain = await openDomain({ store, now: store.now, settings, log, masterKey, visiting: true });
    markDataMade(settings.keys);
    if (fresh && !begun) note(`there was no store: a new one was made in ${nameOf(settings)}`);
    return { domain, store, masterKey, close: () => domain.close().finally(() => store.close()) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The whole path: whoever stands in another folder than they think, sees it. */
const nameOf = ({ data, database_url }: Settings): string =>
  database_url === undefined ? resolve(data) : 'the database (POSTERN_DATABASE_URL)';
