import { resolve } from 'node:path';
import type { Clock, Logger } from '../../lib/index.ts';
import { type PreparedChange, prepare } from '../changes.ts';
import type { Change } from '../contract.ts';
import type { Mark, MarkName, TableName } from '../records.ts';
import { Tally, tallied } from '../tally.ts';
import { type AloneStore, type Batches, outcomeUnknown } from '../whole.ts';
import { JournalAdapter } from './adapter.ts';
import { inWords, StoreDamaged } from './errors.ts';
import { type FileOperations, realFiles } from './files.ts';
import { prepareFolder } from './folder.ts';
import { decodeLine, readLines } from './lines.ts';
import { type Lock, takeLock } from './lock.ts';
import { Database, Scan } from './memory/index.ts';
import { encodeRow, type Slice, type SnapshotRow } from './snapshot.ts';

interface Options {
  readonly folder: string;
  readonly clock: (floor: number) => Clock;
  readonly log: Logger;
  readonly pid: number;
  /** There must be a store in the folder; otherwise an empty one is made where there is none. */
  readonly mustExist: boolean;
  readonly files?: FileOperations;
}

/**
 * Takes the store in a folder for this process alone, to carry it away or to fill it.
 * @throws StoreLocked, StoreDamaged, StoreRefused
 */
export async function openFolderAlone(options: Options): Promise<AloneFolder> {
  const { folder, log, pid, files = realFiles } = options;
  try {
    await prepareFolder(files, folder, options.mustExist);
    const lock = await takeLock(files, folder, { pid });
    try {
      const adapter = new JournalAdapter({ files, folder, log });
      const database = (await adapter.read()) ?? new Database();
      const now = options.clock(adapter.lastWrittenAt);
      await adapter.start(now, database.sequence, () => {});
      return new AloneFolder({ folder, files, lock, adapter, database, now });
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    throw inWords(folder, error);
  }
}

interface Parts {
  readonly folder: string;
  readonly files: FileOperations;
  readonly lock: Lock;
  readonly adapter: JournalAdapter;
  readonly database: Database;
  readonly now: Clock;
}

/** Nothing here compacts or sweeps: after {@link AloneFolder.replaceAll} the rows are in the files alone. */
class AloneFolder implements AloneStore {
  readonly name: string;
  readonly now: Clock;
  readonly #parts: Parts;
  #database: Database;

  constructor(parts: Parts) {
    // In full: it is told to whoever starts elsewhere.
    this.name = `the data folder ${resolve(parts.folder)}`;
    this.now = parts.now;
    this.#parts = parts;
    this.#database = parts.database;
  }

  async mark(name: MarkName): Promise<Mark | undefined> {
    return this.#database.live('marks', name, this.now())?.record as Mark | undefined;
  }

  async counts(): Promise<Record<TableName, number>> {
    const counts = [...this.#database.tables()].map(([name, { rows }]) => [name, rows.size]);
    return Object.fromEntries(counts) as Record<TableName, number>;
  }

  async lookup(table: TableName, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows = ids.map((id) => this.#database.live(table, id, this.now())).filter((row) => row !== undefined);
    return new Map(rows.map(({ id, record }) => [id, JSON.stringify(record)]));
  }

  async *rows(): Batches {
    const scan = new Scan(this.#database, this.now());
    try {
      yield* scan.batches();
    } finally {
      scan.end();
    }
  }

  async replaceAll(rows: Batches): Promise<Tally> {
    const { adapter, files, folder } = this.#parts;
    const cut = this.#database.sequence + 1;
    const given = new Tally();
    try {
      await adapter.replaceAll(slices(tallied(rows, given), cut), cut, async (path) => {
        const { digest } = await tallyOf(files, path);
        if (digest !== given.digest) throw new StoreDamaged(path, 0, 'the disk does not hold what was written to it');
      });
    } catch (error) {
      const words = inWords(folder, error, 'fill');
      // It had its name already when the disk failed.
      if (await adapter.mayHold(cut).catch(() => true)) throw outcomeUnknown(this.name, words);
      throw words;
    }
    this.#database = new Database();
    this.#database.sequence = cut;
    return given;
  }

  async setMark(name: MarkName, mark: Mark | undefined): Promise<void> {
    const change: Change = mark ? { put: 'marks', id: name, record: mark } : { remove: 'marks', id: name };
    const [prepared] = prepare([change]) as [PreparedChange];
    const sequence = this.#database.sequence + 1;
    const replaced = this.#database.apply([prepared], sequence);
    const at = this.now();
    await this.#parts.adapter.journal.append({ sequence, at, text: prepared.text, strict: true, replaced });
  }

  async release(): Promise<void> {
    try {
      await this.#parts.adapter.close();
    } finally {
      await this.#parts.lock.release();
    }
  }
}

async function* slices(rows: Batches, version: number): AsyncGenerator<Slice> {
  for await (const batch of rows)
    yield { text: batch.map((row) => encodeRow(row, version)).join(''), rows: batch.length };
}

/** What the rows of a snapshot come to, as the disk has them. */
async function tallyOf(files: FileOperations, path: string): Promise<Tally> {
  const tally = new Tally();
  await readLines(files, path, ({ bytes, number }) => {
    const line = decodeLine(bytes);
    if (!line) throw new StoreDamaged(path, number, 'its checksum does not match');
    if (line[1] === 'snapshot' || line[1] === 'complete') return;
    const [, table, id, , expiresAt, record] = line as SnapshotRow;
    const json = JSON.stringify(record);
    tally.add({ table: table as TableName, id, ...(expiresAt !== null && { expiresAt }), json });
  });
  return tally;
}
