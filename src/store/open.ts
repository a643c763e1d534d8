import type { Clock, Logger } from '../lib/index.ts';
import { steadyClock } from '../lib/index.ts';
import type { Store } from './contract.ts';
import { openFileStore } from './file/index.ts';
import type { WatchedTable } from './postgres/index.ts';

/** A store with what its engine alone can tell. */
export interface OpenedStore extends Store {
  /**
   * The clock that decides what has expired. It never goes back in this process; the file engine's does not go back
   * over a restart either.
   */
  readonly now: Clock;
  /** Calls back after clients, resources or keys changed, by whichever process; absent where there is only one. */
  onChange?(listener: (table: WatchedTable) => void): void;
}

interface Options {
  readonly settings: {
    readonly data: string;
    readonly database_url?: string | undefined;
    readonly database_pool?: number;
    readonly workers?: number;
  };
  readonly log: Logger;
  readonly pid: number;
  /** There was a store before: where there is none now, that is a loss and no beginning. */
  readonly mustExist: boolean;
  readonly onCommit?: (seconds: number) => void;
}

/**
 * Opens the store the settings name: PostgreSQL where they have its URL, the data folder otherwise.
 * @throws Refusal in words for the operator when it cannot be used.
 */
export async function openStore({ settings, ...options }: Options): Promise<OpenedStore> {
  const clock = (floor = 0): Clock => steadyClock(Date.now, () => performance.now(), floor);
  const { data, database_url: url, database_pool: pool, workers: processes } = settings;
  if (url === undefined) return openFileStore({ ...options, folder: data, clock });
  // Loaded only where it is used: it costs start and memory.
  const { openPostgresStore } = await import('./postgres/index.ts');
  return openPostgresStore({ ...options, url, pool, processes, now: clock() });
}
