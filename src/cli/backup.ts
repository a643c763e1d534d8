import type { MasterKey } from '../domain/index.ts';
import { iso } from '../lib/index.ts';
import { writeBackup } from '../store/backup/index.ts';
import type { OpenedStore } from '../store/open.ts';

/** The name by which the running server is asked for one. */
export const BACKUP = 'store.backup';

/** What is said of a backup when all of it has been given. */
export interface Taken {
  readonly taken_at: string | null;
  readonly rows: Readonly<Record<string, number>>;
  readonly total: number;
}

/** The pieces of the file, one after the other. */
export type Backup = AsyncGenerator<Buffer, Taken>;

interface Options {
  readonly store: OpenedStore;
  readonly masterKey: MasterKey;
  readonly settings: { readonly issuer: string; readonly database_url?: string | undefined };
}

/** Everything the store has at this moment, as a file; the store is served meanwhile. */
export async function* takeBackup({ store, masterKey, settings }: Options): Backup {
  const takenAt = store.now();
  const engine = settings.database_url === undefined ? 'file' : 'postgres';
  const about = { takenAt, issuer: settings.issuer, engine, key: masterKey.backups } as const;
  const { rows, total } = yield* writeBackup(store.rows(), about);
  return { taken_at: iso(takenAt), rows, total };
}
