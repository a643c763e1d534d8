import type { Row } from '../contract.ts';
import { TABLES, type TableName } from '../records.ts';
import { OrderedIds } from './ordered-ids.ts';

/** A row of any table: the engine never looks inside a record, except through the table's indexes. */
export type AnyRow = Row<object>;

export const isLive = (row: AnyRow, now: number): boolean => row.expiresAt === undefined || row.expiresAt > now;

interface Index {
  readonly name: string;
  readonly of: (record: object) => string | undefined;
  /** Most values have one id: kept bare, an ordered set for each would be most of the memory of a large store. */
  readonly ids: Map<string, string | OrderedIds>;
}

const SLICE = 2000;

/** The rows of one table and what they are found by. A Map, not an object: an id may be `__proto__`. */
export class Table {
  readonly rows = new Map<string, AnyRow>();
  readonly #indexes: readonly Index[];
  /** Made when it is first asked for: most tables are never listed whole. */
  #all: OrderedIds | undefined;
  #allReady: Promise<void> | undefined;

  constructor(name: TableName) {
    this.#indexes = Object.entries(TABLES[name].indexes).map(([index, of]) => ({
      name: index,
      of: of as Index['of'],
      ids: new Map(),
    }));
  }

  /** Puts a row in place of the one with its id, and returns that one. */
  put(row: AnyRow): AnyRow | undefined {
    const before = this.rows.get(row.id);
    this.rows.set(row.id, row);
    if (!before) this.#all?.add(row.id);
    for (const index of this.#indexes) {
      const value = index.of(row.record);
      const old = before && index.of(before.record);
      if (value === old) continue;
      if (old !== undefined) unlist(index.ids, old, row.id);
      if (value !== undefined) list(index.ids, value, row.id);
    }
    return before;
  }

  /** Removes a row, and returns it. */
  remove(id: string): AnyRow | undefined {
    const before = this.rows.get(id);
    if (!before) return undefined;
    this.rows.delete(id);
    this.#all?.delete(id);
    for (const index of this.#indexes) {
      const value = index.of(before.record);
      if (value !== undefined) unlist(index.ids, value, id);
    }
    return before;
  }

  /** @throws TypeError when the table has no such index. */
  async ready(index: string): Promise<void> {
    if (index === 'all') {
      this.#allReady ??= this.#listAll();
      await this.#allReady;
    } else if (!this.#indexes.some((known) => known.name === index)) throw new TypeError(`no such index: ${index}`);
  }

  /** Ids in order, from the first that follows `after`. The index must be {@link ready}. */
  ids(index: string, value: string, after: string | undefined): Iterable<string> {
    if (index === 'all') return value === '' ? this.#all!.after(after) : [];
    const ids = this.#indexes.find((known) => known.name === index)?.ids.get(value);
    if (typeof ids === 'string') return after === undefined || ids > after ? [ids] : [];
    return ids?.after(after) ?? [];
  }

  /** Rows that come and go meanwhile are added and deleted by {@link put} and {@link remove}; both may meet an id twice. */
  async #listAll(): Promise<void> {
    this.#all = new OrderedIds();
    let count = 0;
    for (const id of this.rows.keys()) {
      this.#all.add(id);
      count += 1;
      if (count % SLICE === 0) await new Promise(setImmediate);
    }
  }
}

function list(index: Index['ids'], value: string, id: string): void {
  const ids = index.get(value);
  if (ids === undefined) index.set(value, id);
  else if (ids instanceof OrderedIds) ids.add(id);
  else if (ids !== id) {
    const both = new OrderedIds();
    both.add(ids);
    both.add(id);
    index.set(value, both);
  }
}

function unlist(index: Index['ids'], value: string, id: string): void {
  const ids = index.get(value);
  if (ids instanceof OrderedIds) {
    ids.delete(id);
    if (ids.size === 0) index.delete(value);
  } else if (ids === id) index.delete(value);
}
