import { crc32 } from 'node:zlib';
import { type FileOperations, removeFile, syncFolder, writeAll } from './files.ts';
import { type DataFile, dataFile } from './folder.ts';
import { encodeLine, hex, type Line, readLines } from './lines.ts';
import { type Database, inBytes, type Rows } from './memory/index.ts';
import { PlainLines } from './plain-lines.ts';
import { tableOf } from './table-name.ts';

/**
 * What stands in a snapshot: its first line `["crc","snapshot",cut]`; one line per row; and its last line
 * `["crc","complete",through,at,rows,checksum]`. It holds every row whose version is at most `cut`, except rows that a
 * commit up to `through` has replaced or removed since: the journal after `cut` must be readable up to there.
 */
export type SnapshotRow = [
  crc: string,
  table: string,
  id: string,
  version: number,
  expiresAt: number | null,
  record: object,
];
type SnapshotEnd = [crc: string, kind: 'complete', through: number, at: number, rows: number, checksum: string];

/** The event loop is never held longer, so that a snapshot is not felt. */
const SLICE_MS = 2;
const SYNC_EVERY = 1024 * 1024;

/** The lines of some rows. */
export interface Slice {
  readonly text: string;
  readonly rows: number;
}

export interface SnapshotOptions {
  readonly files: FileOperations;
  readonly folder: string;
  readonly rows: AsyncIterable<Slice> | Iterable<Slice>;
  readonly cut: number;
  readonly at: number;
  readonly signal: AbortSignal;
  /** Waits until everything memory shows is on the disk; the number of the last such commit. */
  readonly settle: () => Promise<number>;
  /** Called when the snapshot is on the disk, before it gets its name. */
  readonly beforeNaming?: (path: string) => Promise<void>;
}

/** Writes these rows while commits go on. On any error nothing is left of it. The number of rows. */
export async function writeSnapshot(options: SnapshotOptions): Promise<number> {
  const { files, folder, cut, at } = options;
  const { path } = dataFile(folder, 'snapshot', cut);
  const file = await files.open(`${path}.new`, 'w', 0o600);
  try {
    let sum = 0;
    let unsynced = 0;
    const write = async (text: string) => {
      const bytes = Buffer.from(text);
      sum = crc32(bytes, sum);
      await writeAll(file, bytes);
      unsynced += bytes.length;
      // In steps: one great fsync at the end would hold up the journal's.
      if (unsynced > SYNC_EVERY) await file.datasync();
      if (unsynced > SYNC_EVERY) unsynced = 0;
    };
    let rows = 0;
    await write(encodeLine(`"snapshot",${cut}`));
    for await (const slice of options.rows) {
      await write(slice.text);
      rows += slice.rows;
      await new Promise(setImmediate);
      options.signal.throwIfAborted();
    }
    const through = await options.settle();
    await writeAll(file, Buffer.from(encodeLine(`"complete",${through},${at},${rows},"${hex(sum)}"`)));
    await file.sync();
    await options.beforeNaming?.(`${path}.new`);
    await files.rename(`${path}.new`, path);
    await syncFolder(files, folder);
    return rows;
  } catch (error) {
    await removeFile(files, `${path}.new`).catch(() => {});
    throw error;
  } finally {
    await file.close().catch(() => {});
  }
}

/**
 * The lines of all rows, each slice as many as a few milliseconds make. A row that stays keeps its slot: it is met once
 * while others come and go. What is newer than the cut is passed over, because the journal after the cut has it.
 */
export function* slicesOf(database: Database, cut: number): Generator<Slice> {
  let lines: string[] = [];
  let until = performance.now() + SLICE_MS;
  for (const [name, { rows }] of database.tables()) {
    for (let slot = 0; slot < rows.end; slot += 1) {
      if (rows.has(slot) && rows.version(slot) <= cut) lines.push(rowLine(name, rows, slot));
      if (slot % 16 === 15 && performance.now() > until) {
        yield { text: lines.join(''), rows: lines.length };
        lines = [];
        until = performance.now() + SLICE_MS;
      }
    }
  }
  yield { text: lines.join(''), rows: lines.length };
}

const rowLine = (table: string, rows: Rows, slot: number): string =>
  encodeRow({ table, id: rows.id(slot), expiresAt: rows.expiresAt(slot), json: rows.json(slot) }, rows.version(slot));

/** The line of one row. */
export const encodeRow = (
  { table, id, expiresAt, json }: { table: string; id: string; expiresAt?: number | undefined; json: string },
  version: number,
): string => encodeLine(`"${table}",${JSON.stringify(id)},${version},${expiresAt ?? null},${json}`);

interface ReadSnapshot {
  readonly rows: number;
  readonly through: number;
  readonly at: number;
  /** The first line that cannot be believed, and why; undefined when the snapshot is whole. */
  readonly damage: { readonly line: number; readonly why: string } | undefined;
  /** Lines that cannot be read. */
  readonly damaged: readonly number[];
}

/** Reads what can be read of a snapshot into `database`. */
export async function readSnapshot(
  files: FileOperations,
  { path, sequence }: DataFile,
  database: Database,
): Promise<ReadSnapshot> {
  let sum = 0;
  let rows = 0;
  let end: SnapshotEnd | undefined;
  let endAt: number | undefined;
  let damage: ReadSnapshot['damage'];
  const damaged: number[] = [];
  let lines = 0;
  const plain = new PlainLines();
  const otherLine = (line: unknown[]): void => {
    if (lines === 1) {
      if (line[1] !== 'snapshot' || line[2] !== sequence)
        damage ??= { line: 1, why: `it does not begin snapshot ${sequence}` };
    } else if (line[1] === 'complete') end = line as SnapshotEnd;
    else {
      rows += 1;
      putRow(database, line as SnapshotRow);
    }
  };
  const take = (line: Line): void => {
    lines = line.number;
    if (line.intact) {
      const read = plain.row(line.buffer, line.from, line.to);
      if (read) {
        rows += 1;
        database.table(read.table).load(read.row);
      } else otherLine(JSON.parse(line.bytes.toString()));
    } else damaged.push(lines);
    if (end) endAt ??= line.offset;
  };
  // What the last line's checksum is of: all that stands before it.
  const told = (bytes: Buffer, offset: number): void => {
    sum = crc32(endAt === undefined ? bytes : bytes.subarray(0, Math.max(0, endAt - offset)), sum);
  };
  await readLines(files, path, take, { told, buffers: database.spare });
  if (damaged.length > 0) damage = { line: damaged[0]!, why: 'its checksum does not match' };
  if (!damage && !end) damage = { line: lines, why: 'it ends too early' };
  if (!damage && end && (end[4] !== rows || end[5] !== hex(sum))) {
    damage = { line: lines, why: `rows are missing: ${rows} of ${end[4]}` };
  }
  database.sequence = Math.max(database.sequence, sequence);
  return { rows, through: end?.[2] ?? sequence, at: end?.[3] ?? 0, damage, damaged };
}

function putRow(database: Database, [, name, id, version, expiresAt, record]: SnapshotRow): void {
  const row = inBytes({ id, version, expiresAt: expiresAt ?? undefined }, JSON.stringify(record));
  database.table(tableOf(name)).load(row);
}
