/** Folders for tests of the file engine, and the ways to open a store in them. */
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { silent } from '../../src/lib/index.ts';
import { realFiles } from '../../src/store/file/files.ts';
import {
  type FileOperations,
  type FileStore,
  type FileStoreOptions,
  openFileStore,
} from '../../src/store/file/index.ts';

/** A new empty folder; the store goes into `store` below it. */
export const makeFolder = (): Promise<string> => fs.mkdtemp(join(tmpdir(), 'postern-store-'));

/** A folder for a store that is gone when the test is over. */
export async function folderFor(t: ExecutionContext): Promise<string> {
  const folder = await makeFolder();
  t.teardown(() => fs.rm(folder, { recursive: true, force: true }));
  return join(folder, 'store');
}

/** The real disk, never asked to sync: for tests of what stands in the files, which open thousands of stores. */
export const quick: FileOperations = {
  ...realFiles,
  async open(path, flags, mode) {
    const file = await fs.open(path, flags, mode);
    return {
      write: (bytes, offset, length, position) => file.write(bytes, offset, length, position),
      read: (bytes, offset, length, position) => file.read(bytes, offset, length, position),
      truncate: (length) => file.truncate(length),
      close: () => file.close(),
      sync: async () => {},
      datasync: async () => {},
    };
  },
};

export const open = (folder: string, options: Partial<FileStoreOptions> = {}): Promise<FileStore> =>
  openFileStore({ folder, clock: () => Date.now, log: silent, pid: 4711, ...options });
