import type { FileOperations } from './files.ts';
import type { DataFile, Listing } from './folder.ts';
import type { JournalLine } from './journal-file.ts';
import { readLines } from './lines.ts';
import { Database } from './memory/index.ts';
import { fromFile } from './replay.ts';
import { readSnapshot } from './snapshot.ts';

export interface Salvage {
  readonly database: Database;
  readonly at: number;
  readonly dropped: readonly { readonly file: string; readonly line: number }[];
  /** How many commits no line has any more, although files speak of later ones, or are named after them. */
  readonly missing: number;
  /** The last commit that any file speaks of. */
  readonly last: number;
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
  const chain = journals.filter(({ sequence }) => !base || sequence >= base.sequence);
  const numbers = new Numbers(base?.sequence ?? chain[0]?.sequence ?? 0);
  for (const { name, path, sequence } of chain) {
    numbers.spokenOf(sequence);
    await readLines(files, path, (line) => {
      if (!line.intact) dropped.push({ file: name, line: line.number });
      const { bytes } = line.intact ? line : (line.swallowed ?? {});
      if (!bytes || line.number === 1) return;
      const read = JSON.parse(bytes.toString()) as JournalLine;
      at = Math.max(at, applyIfNewer(database, read));
      numbers.read(read);
    });
  }
  numbers.spokenOf(database.sequence, ...snapshots.map(({ sequence }) => sequence));
  return { database, at, dropped, missing: numbers.missing, last: numbers.last };
}

/** Which commits there were after a number, and how many of them were read. */
class Numbers {
  /** No file speaks of a later one. */
  last: number;
  readonly #after: number;
  #read = 0;

  constructor(after: number) {
    this.#after = this.last = after;
  }

  get missing(): number {
    return Math.max(0, this.last - this.#after - this.#read);
  }

  spokenOf(...numbers: readonly number[]): void {
    this.last = Math.max(this.last, ...numbers);
  }

  read([, sequence, , synced, body]: JournalLine): void {
    this.spokenOf(sequence, synced);
    if (typeof body !== 'string') this.#read += 1;
  }
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
