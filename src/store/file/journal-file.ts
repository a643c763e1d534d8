import { type FileOperations, type OpenFile, removeFile, syncFolder, writeAll } from './files.ts';
import { dataFile } from './folder.ts';
import { encodeLine } from './lines.ts';

/**
 * What stands in a journal:
 * - its first line, `["crc","journal",after,at,alone]`: the commits in it follow number `after`. `alone` marks one begun
 *   by healing: the journal before it may end early, and then only the snapshot of the same number leads to it;
 * - commits, `["crc",sequence,at,synced,[change,…]]`: `synced` is the last number that was on the disk for sure when this
 *   line was written, so that everything up to it must be readable for ever;
 * - marks, `["crc",sequence,at,synced,"word"]`: the same, without a commit.
 */
export type JournalHead = [crc: string, kind: 'journal', after: number, at: number, alone: boolean];
export type JournalLine = [crc: string, sequence: number, at: number, synced: number, body: FileChange[] | Mark];
type FileChange =
  | { readonly put: string; readonly id: string; readonly expiresAt?: number; readonly record: object }
  | { readonly remove: string; readonly id: string };

/** `idle`: all is on the disk; `end`: the next journal goes on; `closed`: the store was closed in order. */
export type Mark = 'idle' | 'end' | 'closed';

export interface JournalFile {
  readonly file: OpenFile;
  readonly path: string;
  size: number;
}

/** A commit's line, without its frame. */
export const commitLine = (sequence: number, at: number, synced: number, changes: string): string =>
  `${sequence},${at},${synced},[${changes}]`;

/** A mark's line, without its frame. */
export const markLine = (sequence: number, at: number, synced: number, mark: Mark): string =>
  `${sequence},${at},${synced},"${mark}"`;

/**
 * Makes a journal for the commits after number `after`. It gets its name only when its first line is on the disk: a
 * journal without one is damage, never an accident of creation.
 */
export async function createJournal(
  files: FileOperations,
  folder: string,
  { after, at, alone }: { after: number; at: number; alone: boolean },
): Promise<JournalFile> {
  const { path } = dataFile(folder, 'journal', after);
  const file = await files.open(`${path}.new`, 'a', 0o600);
  try {
    await file.truncate(0);
    const head = Buffer.from(encodeLine(`"journal",${after},${at},${alone}`));
    await writeAll(file, head);
    await file.sync();
    await files.rename(`${path}.new`, path);
    await syncFolder(files, folder);
    return { file, path, size: head.length };
  } catch (error) {
    // What has its name stays: there may have been one before, which a snapshot leads to. Both hold no commit.
    await file.close().catch(() => {});
    await removeFile(files, `${path}.new`).catch(() => {});
    throw error;
  }
}
