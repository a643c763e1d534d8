import type { Logger } from '../../lib/index.ts';
import { inWords, StoreRefused } from './errors.ts';
import { type FileOperations, realFiles, syncFolder } from './files.ts';
import { FORMAT_FILE, type Listing, list, prepareFolder, prune, writeFormat } from './folder.ts';
import { createJournal, type JournalFile } from './journal-file.ts';
import { takeLock } from './lock.ts';
import { type Salvage, salvage } from './salvage.ts';
import { slicesOf, writeSnapshot } from './snapshot.ts';

interface RepairReport {
  /** The folder that has the files as they were. */
  readonly aside: string;
  /** Lines that could not be read: what they held is lost, unless another file had it too. */
  readonly dropped: readonly { readonly file: string; readonly line: number }[];
  /** How many commits no file has any more. */
  readonly missing: number;
  readonly rows: number;
}

/**
 * Makes a store that starts from whatever can still be read. Everything is copied aside before anything is touched.
 *
 * What was lost may include a use or a revocation: codes and tokens can work again until they expire. Whoever runs this
 * should end all sessions afterwards.
 * @throws StoreLocked while a process has the store open, StoreRefused when there is nothing to read.
 */
export async function repairFileStore(options: {
  readonly folder: string;
  readonly log: Logger;
  readonly pid: number;
  readonly files?: FileOperations;
}): Promise<RepairReport> {
  const { folder, log, files = realFiles } = options;
  try {
    await prepareFolder(files, folder, true);
    const lock = await takeLock(files, folder, { pid: options.pid });
    try {
      const listing = await list(files, folder);
      // An empty store that starts would be taken for one that was repaired.
      if (listing.journals.length + listing.snapshots.length === 0)
        throw new StoreRefused(
          'store_missing',
          `nothing is left to repair in ${folder}, neither a journal nor a snapshot: move it away, and restore a backup in its place or begin anew with --init`,
        );
      const aside = await copyAside(files, folder, listing);
      const found = await salvage(files, listing);
      await writeAnew(files, folder, found);
      const { dropped, missing, database } = found;
      log.warn({ aside, dropped: dropped.length, missing, rows: database.size }, 'the store was repaired');
      return { aside, dropped, missing, rows: database.size };
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw inWords(folder, error);
  }
}

async function copyAside(files: FileOperations, folder: string, listing: Listing): Promise<string> {
  const { journals, snapshots, formatFile } = listing;
  const names = [...journals, ...snapshots].map(({ name }) => name);
  let aside = `${folder}/aside-1`;
  for (let n = 2; await exists(files, aside); n += 1) aside = `${folder}/aside-${n}`;
  await files.mkdir(aside);
  for (const name of formatFile ? [...names, FORMAT_FILE] : names) {
    await files.copyFile(`${folder}/${name}`, `${aside}/${name}`);
    const copy = await files.open(`${aside}/${name}`, 'r+');
    await copy.sync().finally(() => copy.close());
  }
  await syncFolder(files, aside);
  await syncFolder(files, folder);
  return aside;
}

const exists = (files: FileOperations, path: string): Promise<boolean> =>
  files.stat(path).then(
    () => true,
    () => false,
  );

/** One snapshot and an empty journal, numbered after everything that was there. */
async function writeAnew(files: FileOperations, folder: string, { database, at, last }: Salvage): Promise<void> {
  // A start would expect what a file with a later number follows on.
  const cut = last + 1;
  let journal: JournalFile | undefined;
  await writeSnapshot({
    files,
    folder,
    rows: slicesOf(database, cut),
    cut,
    at,
    signal: new AbortController().signal,
    settle: async () => cut,
    beforeNaming: async () => {
      journal = await createJournal(files, folder, { after: cut, at, alone: true });
    },
  });
  await journal?.file.close();
  await writeFormat(files, folder);
  await prune(files, folder, 1);
  await syncFolder(files, folder);
}
