import type { Row } from '../contract.ts';
import { TABLES, type TableName } from '../records.ts';
import { ExpiryHeap } from './expiry-heap.ts';
import { ShardedMap } from './sharded-map.ts';
import { TableIndex } from './table-index.ts';

/** A row of any table: the engine never looks inside a record, except through the table's indexes. */
export type AnyRow = Row<object>;

export const isLive = (row: AnyRow, now: number): boolean => row.expiresAt === undefined || row.expiresAt > now;

/** The rows of one table, and what they are found by. A Map, not an object: an id may be `__proto__`. */
export class Table {
  readonly rows = new ShardedMap<AnyRow>();
  readonly #indexes: ReadonlyMap<string, TableIndex>;
  readonly #expiry = new ExpiryHeap();

  constructor(name: TableName) {
    const declared = Object.entries(TABLES[name].indexes) as [string, TableIndex['of']][];
    const indexes = [['all', () => ''] as const, ...declared].map(
      ([index, of]) => [index, new TableIndex(of, this.rows)] as const,
    );
    this.#indexes = new Map(indexes);
  }

  /** Puts a row in place of the one with its id, and returns that one. */
  put(row: AnyRow): AnyRow | undefined {
    const before = this.rows.get(row.id);
    this.rows.set(row.id, row);
    for (const index of this.#indexes.values()) index.replace(before, row);
    // A row that only lives longer than before is already in the heap, and is put back when its old time comes.
    const known = before?.expiresAt !== undefined && before.expiresAt <= (row.expiresAt ?? 0);
    if (row.expiresAt !== undefined && !known) this.#expiry.push(row.expiresAt, row.id);
    return before;
  }

  /** Removes a row, and returns it. */
  remove(id: string): AnyRow | undefined {
    const before = this.rows.get(id);
    if (!before) return undefined;
    this.rows.delete(id);
    for (const index of this.#indexes.values()) index.replace(before, undefined);
    return before;
  }

  /** @throws TypeError when there is no such index. */
  index(name: string): TableIndex {
    const index = this.#indexes.get(name);
    if (!index) throw new TypeError(`no such index: ${name}`);
    return index;
  }

  /** Makes every declared index now, so that nobody has to wait for one later. */
  async listDeclared(goOn: () => boolean): Promise<void> {
    for (const [name, index] of this.#indexes) if (name !== 'all' && goOn()) await index.ready();
  }

  /** Removes rows that expired until `now`, for as long as `goOn` says; the number removed. */
  dropExpired(now: number, goOn: () => boolean): number {
    let removed = 0;
    while (this.#expiry.firstAt <= now && goOn()) {
      const id = this.#expiry.shift();
      const { expiresAt } = this.rows.get(id) ?? {};
      if (expiresAt === undefined) continue;
      if (expiresAt > now) this.#expiry.push(expiresAt, id);
      else if (this.remove(id)) removed += 1;
    }
    return removed;
  }

  /** Whether rows may have expired until `now` that are still here. */
  hasExpired(now: number): boolean {
    return this.#expiry.firstAt <= now;
  }
}
