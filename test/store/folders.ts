/** Folders for tests of the file engine, and the ways to open a store in them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { silent } from '../../src/lib/index.ts';
import { type FileStore, type FileStoreOptions, openFileStore } from '../../src/store/file/index.ts';

/** A new empty folder; the store goes into `store` below it. */
export const makeFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'postern-store-'));

/** A folder for a store that is gone when the test is over. */
export async function folderFor(t: ExecutionContext): Promise<string> {
  const folder = await makeFolder();
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'store');
}

export const open = (folder: string, options: Partial<FileStoreOptions> = {}): Promise<FileStore> =>
  openFileStore({ folder, clock: () => Date.now, log: silent, pid: 4711, ...options });
