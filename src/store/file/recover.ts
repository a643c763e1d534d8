import type { Logger } from '../../lib/index.ts';
import { StoreDamaged } from './errors.ts';
import { type FileOperations, removeFile, syncFolder, writeAll } from './files.ts';
import type { DataFile, Listing } from './folder.ts';
import { Database } from './memory/index.ts';
import { type BadLine, type Chain, replay, type Unsure } from './replay.ts';
import { readSnapshot } from './snapshot.ts';

export interface Recovered {
  readonly database: Database;
  /** The journal to go on in, and how long it is. */
  readonly journal: { readonly path: string; readonly size: number };
  /** The latest moment the files speak of. */
  readonly lastWrittenAt: number;
  /** Rows in the snapshot and changes in the journals after it: what a start has to read. */
  readonly read: number;
  /** The snapshot it began with; 0 for none. */
  readonly base: number;
  /** Some file is not as it was written, although nothing is lost: time for a new snapshot. */
  readonly worn: boolean;
}

/**
 * Reads the folder back: the newest whole snapshot, then the journals by sequence. What was durable is all there
 * afterwards, or this throws. It changes nothing but an unacknowledged tail, which it copies aside.
 * @throws StoreDamaged naming file and line.
 */
export async function recover(
  files: FileOperations,
  folder: string,
  listing: Listing,
  log: Logger,
): Promise<Recovered> {
  const unreadable: { readonly file: DataFile; readonly error: StoreDamaged }[] = [];
  for (const file of listing.snapshots.toReversed()) {
    const database = new Database();
    const { rows, through, at, damage } = await readSnapshot(files, file, database);
    if (damage) unreadable.push({ file, error: new StoreDamaged(file.name, damage.line, damage.why) });
    else return finish({ database, rows, through, at });
  }
  return finish({ database: new Database(), rows: 0, through: 0, at: 0 });

  async function finish(base: { database: Database; rows: number; through: number; at: number }): Promise<Recovered> {
    const { database } = base;
    const began = database.sequence;
    const chain = await replay(files, listing.journals, database, base.through).catch((error) => {
      throw unreadable[0]?.error ?? error;
    });
    database.spare.end();
    for (const { file, error } of unreadable) {
      log.warn(
        { file: file.name, line: error.line },
        'a snapshot is damaged; an older one and the journals gave the same data',
      );
      await files.rename(file.path, `${file.path}.damaged`);
    }
    const size = chain.tail ? await cutTail(files, chain.tail, log) : chain.last.size;
    for (const end of chain.unsure) await writeAgain(files, end);
    await tidy(files, folder, chain, log);
    return {
      database,
      journal: { path: chain.last.path, size },
      lastWrittenAt: Math.max(base.at, chain.at),
      read: base.rows + chain.changes,
      base: began,
      worn: unreadable.length > 0 || chain.skipped.length > 0,
    };
  }
}

async function tidy(files: FileOperations, folder: string, { skipped, abandoned }: Chain, log: Logger): Promise<void> {
  for (const { file, line } of skipped) {
    log.warn({ file: file.name, line }, 'a line is damaged that held no commit; nothing is missing');
  }
  for (const { path } of abandoned) await removeFile(files, path);
  await syncFolder(files, folder);
}

/** Cuts what was never acknowledged off a journal, keeping a copy; the length that remains. */
async function cutTail(files: FileOperations, { file, offset, line, whole }: BadLine, log: Logger): Promise<number> {
  const aside = `${file.path}.${offset}.cut`;
  const journal = await files.open(file.path, 'r+');
  try {
    const bytes = await readFrom(journal, offset);
    const copy = await files.open(aside, 'w', 0o600);
    try {
      await writeAll(copy, bytes);
      await copy.sync();
    } finally {
      await copy.close();
    }
    await journal.truncate(offset);
    await journal.sync();
    const why = whole
      ? 'the last write was torn, or its bytes have changed since'
      : 'the last write was never finished';
    log.warn({ file: file.name, line, offset, bytes: bytes.length, aside }, `the end of the journal was cut: ${why}`);
  } finally {
    await journal.close();
  }
  return offset;
}

/**
 * Puts on the disk what a killed process wrote and may never have synced: it is about to be believed. It is written once more,
 * as it is, because a sync that failed before would not be told again: the kernel forgets what it could not write.
 */
async function writeAgain(files: FileOperations, { path, from }: Unsure): Promise<void> {
  const journal = await files.open(path, 'r+');
  try {
    await writeAll(journal, await readFrom(journal, from), from);
    await journal.datasync();
  } finally {
    await journal.close();
  }
}

async function readFrom(file: Awaited<ReturnType<FileOperations['open']>>, offset: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let position = offset; ; ) {
    const part = Buffer.alloc(64 * 1024);
    const { bytesRead } = await file.read(part, 0, part.length, position);
    if (bytesRead === 0) return Buffer.concat(parts);
    parts.push(part.subarray(0, bytesRead));
    position += bytesRead;
  }
}
