import { setTimeout as pause } from 'node:timers/promises';
import { type Clock, type Logger, Refusal, seconds, steadyClock } from '../lib/index.ts';
import type { Store } from './contract.ts';
import { isPassing, openFileStore, openFolderAlone } from './file/index.ts';
import type { WatchedTable } from './postgres/index.ts';
import type { AloneStore, Batches } from './whole.ts';

/** A store with what its engine alone can tell. */
export interface OpenedStore extends Store {
  /**
   * The clock that decides what has expired. It never goes back in this process; the file engine's does not go back
   * over a restart either.
   */
  readonly now: Clock;
  /** Calls back after clients, resources, keys or marks changed, by whichever process; absent where there is only one. */
  onChange?(listener: (table: WatchedTable) => void): void;
  /**
   * Every row that is live at the moment of the call, while commits go on: all of a commit or nothing of it, and nothing
   * that came later. Little of it is in memory at a time.
   * @throws StoreUnavailable when it cannot be read to its end
   */
  rows(): Batches;
}

interface Settings {
  readonly data: string;
  readonly database_url?: string | undefined;
  readonly database_pool?: number;
  readonly workers?: number;
}

interface Options {
  readonly settings: Settings;
  readonly log: Logger;
  readonly pid: number;
  /** It is closed again as soon as one thing is done. */
  readonly brief?: boolean;
  /** There was a store before, and keys in it: where there is none now, that is a loss and no beginning. */
  readonly mustExist: boolean;
  readonly onCommit?: (seconds: number) => void;
}

/**
 * Opens the store the settings name: PostgreSQL where they have its URL, the data folder otherwise.
 * @throws Refusal in words for the operator when it cannot be used: `store_moved` where it lives elsewhere now.
 */
export async function openStore({ settings, ...options }: Options): Promise<OpenedStore> {
  const { data, database_url: url, database_pool: pool, workers: processes } = settings;
  const store = url === undefined ? await openFileStore({ ...options, folder: data, clock }) : await openDatabase(url);
  try {
    const name = url === undefined ? `the data folder ${data}` : 'the database';
    await mustBeServable(store, name);
    if (options.mustExist) await mustBeBegun(store, name);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }

  async function openDatabase(url: string): Promise<OpenedStore> {
    // Loaded only where it is used: it costs start and memory.
    const { openPostgresStore } = await import('./postgres/index.ts');
    return openPostgresStore({ ...options, url, pool, processes, now: clock() });
  }
}

/** How long commands may have the store, one after the other, before a server that starts gives up. */
const COMMANDS_END_WITHIN = seconds(10);

/**
 * {@link openStore}, once no command has the folder: they wait for a server that starts, too, and one of both came first.
 * On a database nobody is in another's way.
 */
export async function openStoreAfterCommands(options: Options): Promise<OpenedStore> {
  if (options.settings.database_url !== undefined) return openStore(options);
  for (const giveUp = performance.now() + COMMANDS_END_WITHIN; ; await pause(50)) {
    try {
      return await openStore(options);
    } catch (error) {
      if (!isPassing(error) || performance.now() > giveUp) throw error;
    }
  }
}

const clock = (floor = 0): Clock => steadyClock(Date.now, () => performance.now(), floor);

/** What was moved away and comes back to life would take codes and tokens that were used since. */
async function mustBeServable(store: Store, name: string): Promise<void> {
  const moved = (await store.get('marks', 'moved'))?.record;
  if (moved)
    throw new Refusal(
      'store_moved',
      `${name} was moved to ${moved.other} on ${new Date(moved.at).toISOString()} and is not served any more: what was used there since would be good again here. Set POSTERN_DATABASE_URL (or POSTERN_DATA) to where it went`,
    );
  const arriving = (await store.get('marks', 'arriving'))?.record;
  if (arriving)
    throw new Refusal(
      'store_arriving',
      `the move of ${arriving.other} into ${name} is not finished: run the same postern store migrate again`,
    );
}

/** Every store that was ever served, or asked, has keys in it. */
export async function isBegun(store: Store): Promise<boolean> {
  const { rows } = await store.find('signing_keys', 'all', '', { limit: 1 });
  return rows.length > 0;
}

/** One without any keys was made by somebody who was to fill it, and died: served as a new one, it would look as if everything were lost. */
async function mustBeBegun(store: Store, name: string): Promise<void> {
  if (!(await isBegun(store)))
    throw new Refusal(
      'store_missing',
      `${name} is empty, although there was a store: a move or a restore into it may have been cut off, then run that again. To begin with an empty store, start once with --init (npm start -- --init)`,
    );
}

/** Where a store is: what the settings name, or what an option of the command line does. */
export type Place = { readonly folder: string } | { readonly url: string; readonly named: string };

export const placeOf = ({ data, database_url: url }: Settings): Place =>
  url === undefined ? { folder: data } : { url, named: 'POSTERN_DATABASE_URL' };

/**
 * Takes a store for this process alone, to carry it away or to fill it.
 * @throws Refusal in words: `store_locked`, `store_in_use` while anybody serves it
 */
export async function openAlone(
  place: Place,
  options: { readonly log: Logger; readonly pid: number; readonly mustExist: boolean },
): Promise<AloneStore> {
  if ('folder' in place) return openFolderAlone({ ...options, ...place, clock });
  const { openDatabaseAlone } = await import('./postgres/index.ts');
  return openDatabaseAlone({ ...options, ...place, now: clock() });
}
