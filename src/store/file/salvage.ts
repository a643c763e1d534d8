import type { FileOperations } from './files.ts';
import type { DataFile, Listing } from './folder.ts';
import type { JournalLine } from './journal-file.ts';
import { decodeLine, readLines } from './lines.ts';
import { Database } from './memory/index.ts';
import { fromFile } from './replay.ts';
import { readSnapshot } from './snapshot.ts';

export interface Salvage {
  readonly database: Database;
  readonly at: number;
  readonly dropped: readonly { readonly file: string; readonly line: number }[];
}

/**
 * Reads everything that can be read. A whole snapshot is the base; without one, what can be read of each is laid over
 * the older. Then every commit that can be read, in order, each only onto rows older than itself.
 */
export async function salvage(files: FileOperations, { snapshots, journals }: Listing): Promise<Salvage> {
  const base = await lastWhole(files, snapshots);
  const database = base?.database ?? new Database();
  const dropped: { file: string; line: number }[] = [];
  let at = base?.at ?? 0;
  if (!base) {
    for (const snapshot of snapshots) {
      const read = await readSnapshot(files, snapshot, database);
      at = Math.max(at, read.at);
      dropped.push(...read.damaged.map((line) => ({ file: snapshot.name, line })));
    }
  }
  for (const { name, path, sequence } of journals) {
    if (base && sequence < base.sequence) continue;
    await readLines(files, path, ({ bytes, number, complete }) => {
      const line = complete ? decodeLine(bytes) : undefined;
      if (!line) dropped.push({ file: name, line: number });
      else if (number > 1) at = Math.max(at, applyIfNewer(database, line as JournalLine));
    });
  }
  return { database, at, dropped };
}

async function lastWhole(files: FileOperations, snapshots: readonly DataFile[]) {
  for (const snapshot of snapshots.toReversed()) {
    const database = new Database();
    const { damage, at } = await readSnapshot(files, snapshot, database);
    if (!damage) return { database, at, sequence: snapshot.sequence };
  }
  return undefined;
}

function applyIfNewer(database: Database, [, sequence, at, , body]: JournalLine): number {
  if (typeof body === 'string') return at;
  const before = database.sequence;
  const changes = body.map(fromFile).filter(({ table, id }) => {
    const row = database.table(table).get(id);
    return !row || row.version < sequence;
  });
  database.apply(changes, sequence);
  database.sequence = Math.max(before, sequence);
  return at;
}
