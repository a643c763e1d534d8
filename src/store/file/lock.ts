import { hostname } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { StoreLocked, StoreRefused } from './errors.ts';
import { type FileOperations, placeFile, removeFile } from './files.ts';
import { HOLDER_FILE, LOCK_FILE } from './folder.ts';
import { readLines } from './lines.ts';

export interface Lock {
  release(): Promise<void>;
}

/** Told to whoever finds the store in use. */
export interface Taker {
  readonly pid: number;
  /** It lets go of the store as soon as one thing is done: whoever starts meanwhile may as well wait. */
  readonly brief?: boolean | undefined;
}

/**
 * Takes the folder for this process. The lock is the kernel's (`fcntl`, through SQLite, the only way to one without a
 * native package): it dies with the process, however that ends, and holds between containers that share the volume.
 * It would also be lost if this process opened and closed the lock file by itself, so nothing else may touch it.
 * @throws StoreLocked naming the holder.
 */
export async function takeLock(files: FileOperations, folder: string, { pid, brief = false }: Taker): Promise<Lock> {
  const path = `${folder}/${LOCK_FILE}`;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    // Nothing is ever written to it, so no journal of its own need lie beside it.
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    await files.chmod(path, 0o600);
    const holder = { pid, host: hostname(), since: new Date().toISOString(), brief };
    await placeFile(files, folder, HOLDER_FILE, `${JSON.stringify(holder)}\n`);
  } catch (error) {
    database?.close();
    throw await refusal(files, folder, error);
  }
  const held = database;
  return {
    async release() {
      await removeFile(files, `${folder}/${HOLDER_FILE}`).catch(() => {});
      held.close();
    },
  };
}

/** SQLite's result codes (sqlite3.h). */
const BUSY = 5;
const READ_ONLY = 8;
const CANNOT_OPEN = 14;

async function refusal(files: FileOperations, folder: string, error: unknown): Promise<unknown> {
  const code = (error as { errcode?: number }).errcode;
  if (code === BUSY) return new StoreLocked(folder, await holder(files, folder));
  if (code === READ_ONLY || code === CANNOT_OPEN) {
    return new StoreRefused(
      'store_unusable',
      `cannot open the store in ${folder}: it cannot be written to: the disk is read-only, or the folder belongs to another user`,
      { cause: error },
    );
  }
  if (code !== undefined) {
    return new StoreRefused('store_unusable', `cannot lock the store in ${folder}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return error;
}

async function holder(files: FileOperations, folder: string): Promise<{ holder: string; brief: boolean }> {
  let text = '';
  await readLines(files, `${folder}/${HOLDER_FILE}`, ({ bytes }) => {
    text += bytes.toString();
  }).catch(() => {});
  try {
    const { pid, host, since, brief } = JSON.parse(text);
    return { holder: `process ${pid} on ${host} since ${since}`, brief: brief === true };
  } catch {
    // Its name is put there after the lock is taken, and taken away before that is let go of.
    return { holder: 'another process', brief: true };
  }
}
