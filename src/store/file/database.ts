import type { Row } from '../contract.ts';
import { TABLE_NAMES, type TableName } from '../records.ts';
import type { RowChange } from './changes.ts';
import { ExpiryHeap } from './expiry-heap.ts';
import { type AnyRow, isLive, Table } from './table.ts';

/** What a change replaced: enough to take it back. */
export interface Replaced {
  readonly table: TableName;
  readonly id: string;
  readonly before: AnyRow | undefined;
}

/** Everything the store knows, in memory: what lowdb's `Low` holds. It touches no disk and knows no durability. */
export class Database {
  /** The number of the last commit that is in here; 0 for none. */
  sequence = 0;
  readonly #tables = new Map<TableName, Table>(TABLE_NAMES.map((name) => [name, new Table(name)]));
  readonly #expiry = new ExpiryHeap();

  /** @throws TypeError when there is no such table. */
  table(name: TableName): Table {
    const table = this.#tables.get(name);
    if (!table) throw new TypeError(`no such table: ${String(name)}`);
    return table;
  }

  *tables(): Generator<readonly [TableName, Table]> {
    yield* this.#tables;
  }

  get size(): number {
    let size = 0;
    for (const table of this.#tables.values()) size += table.rows.size;
    return size;
  }

  /** The row, unless it has expired. */
  live(table: TableName, id: string, now: number): AnyRow | undefined {
    const row = this.table(table).rows.get(id);
    return row && isLive(row, now) ? row : undefined;
  }

  /** Applies one commit as number `sequence`, which becomes the version of every row it puts. */
  apply(changes: readonly RowChange[], sequence: number): Replaced[] {
    this.sequence = sequence;
    return changes.map((change) => ({
      table: change.table,
      id: change.id,
      before: change.record ? this.put(change.table, newRow(change, sequence)) : this.remove(change.table, change.id),
    }));
  }

  put(table: TableName, row: AnyRow): AnyRow | undefined {
    const before = this.table(table).put(row);
    // A row that only lives longer than before is already in the heap, and is put back when its old time comes.
    const known = before?.expiresAt !== undefined && before.expiresAt <= (row.expiresAt ?? 0);
    if (row.expiresAt !== undefined && !known) this.#expiry.push({ at: row.expiresAt, table, id: row.id });
    return before;
  }

  remove(table: TableName, id: string): AnyRow | undefined {
    return this.table(table).remove(id);
  }

  /** Takes a change back, as if it had not been. */
  restore({ table, id, before }: Replaced): void {
    if (before) this.put(table, before);
    else this.remove(table, id);
  }

  /** Removes rows that expired until `now`, for as long as `goOn` says. The number removed; `done` when none is left. */
  dropExpired(now: number, goOn: () => boolean): { removed: number; done: boolean } {
    let removed = 0;
    for (let due = this.#expiry.first; due && due.at <= now; due = this.#expiry.first) {
      if (!goOn()) return { removed, done: false };
      this.#expiry.shift();
      const { expiresAt } = this.table(due.table).rows.get(due.id) ?? {};
      if (expiresAt === undefined) continue;
      if (expiresAt > now) this.#expiry.push({ ...due, at: expiresAt });
      else if (this.remove(due.table, due.id)) removed += 1;
    }
    return { removed, done: true };
  }
}

function newRow({ id, record, expiresAt }: RowChange, version: number): AnyRow {
  const row: Row<object> =
    expiresAt === undefined ? { id, version, record: record! } : { id, version, expiresAt, record: record! };
  return Object.freeze(row);
}
