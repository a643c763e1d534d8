import type { RowChange } from '../../changes.ts';
import { TABLE_NAMES, type TableName } from '../../records.ts';
import type { Loaded } from './loaded.ts';
import { type AnyRow, isLive } from './row.ts';
import type { Scan } from './scan.ts';
import { SpareBuffers } from './spare-buffers.ts';
import { Table } from './table.ts';

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
  /** Whoever walks through all of it while it changes. */
  readonly scans = new Set<Scan>();
  /** What files are read into, while they are. */
  readonly spare = new SpareBuffers();
  readonly #tables = new Map<TableName, Table>(TABLE_NAMES.map((name) => [name, new Table(name, this.spare)]));

  /** @throws TypeError when there is no such table. */
  table(name: TableName): Table {
    const table = this.#tables.get(name);
    if (!table) throw new TypeError(`no such table: ${String(name)}`);
    return table;
  }

  tables(): Iterable<readonly [TableName, Table]> {
    return this.#tables;
  }

  get size(): number {
    let size = 0;
    for (const table of this.#tables.values()) size += table.rows.size;
    return size;
  }

  /** The row, unless it has expired. */
  live(table: TableName, id: string, now: number): AnyRow | undefined {
    const row = this.table(table).get(id);
    return row && isLive(row, now) ? row : undefined;
  }

  /**
   * Applies one commit as number `sequence`, which becomes the version of every row it puts. Whole or, when this throws, not
   * at all: a number that is taken and never written down is a commit that the next start misses.
   */
  apply(changes: readonly RowChange[], sequence: number): Replaced[] {
    const replaced: Replaced[] = [];
    try {
      for (const change of changes) {
        const { table, id, record, json, expiresAt } = change;
        const before = this.table(table).get(id);
        if (before) for (const scan of this.scans) scan.replacing(table, before);
        replaced.push({ table, id, before });
        if (record) this.table(table).put({ id, version: sequence, expiresAt }, record, json);
        else this.table(table).remove(id);
      }
    } catch (error) {
      for (const one of replaced.toReversed()) this.restore(one);
      throw error;
    }
    this.sequence = sequence;
    return replaced;
  }

  /** Takes in commit number `sequence` as it was read back. Nobody walks through anything yet. */
  load(changes: readonly Loaded[], sequence: number): void {
    this.sequence = sequence;
    for (const { table, row, removed } of changes) {
      if (row) this.table(table).load(row);
      else this.table(table).remove(removed);
    }
  }

  /** Takes a change back, as if it had not been. */
  restore({ table, id, before }: Replaced): void {
    for (const scan of this.scans) scan.spoil();
    if (before) this.table(table).put(before, before.record);
    else this.table(table).remove(id);
  }

  /** Removes rows that expired until `now`, for as long as `goOn` says. `done` when none is left. */
  dropExpired(now: number, goOn: () => boolean): { removed: number; done: boolean } {
    let removed = 0;
    let done = true;
    for (const table of this.#tables.values()) {
      removed += table.dropExpired(now, goOn);
      done &&= !table.hasExpired(now);
    }
    return { removed, done };
  }
}
