import { TABLES, type TableName } from '../records.ts';
import { ExpiryHeap } from './expiry-heap.ts';
import type { AnyRow } from './row.ts';
import { ShardedMap } from './sharded-map.ts';
import { Indexes, TableIndex } from './table-index.ts';
import { type Kept, UnreadRow } from './unread-row.ts';

/** The rows of one table, and what they are found by. A Map, not an object: an id may be `__proto__`. */
export class Table {
  readonly rows = new ShardedMap<Kept>();
  readonly #indexes: ReadonlyMap<string, TableIndex>;
  readonly #declared: Indexes;
  /** For who lists the whole table: few do. */
  readonly #all: Indexes;
  readonly #expiry = new ExpiryHeap();

  constructor(name: TableName) {
    const declared = Object.entries(TABLES[name].indexes) as [string, (record: object) => string | undefined][];
    const indexes = declared.map(([index, of]) => [index, new TableIndex(of)] as const);
    const all = new TableIndex(() => '');
    this.#indexes = new Map([['all', all], ...indexes]);
    this.#declared = new Indexes(
      indexes.map(([, index]) => index),
      this.rows,
    );
    this.#all = new Indexes([all], this.rows);
  }

  get(id: string): AnyRow | undefined {
    const kept = this.rows.get(id);
    if (!(kept instanceof UnreadRow)) return kept;
    const row = kept.read();
    this.rows.set(id, row);
    return row;
  }

  /** Puts a row in place of the one with its id, and returns that one. */
  put(row: Kept): Kept | undefined {
    const before = this.#before(row.id);
    this.rows.set(row.id, row);
    this.#follow(before, row);
    // A row that only lives longer than before is already in the heap, and is put back when its old time comes.
    const known = before?.expiresAt !== undefined && before.expiresAt <= (row.expiresAt ?? 0);
    if (row.expiresAt !== undefined && !known) this.#expiry.push(row.expiresAt, row.id);
    return before;
  }

  /** Removes a row, and returns it. */
  remove(id: string): Kept | undefined {
    const before = this.#before(id);
    if (!before) return undefined;
    this.rows.delete(id);
    this.#follow(before, undefined);
    return before;
  }

  /**
   * The index, when it knows every row.
   * @throws TypeError when there is no such index.
   */
  async index(name: string): Promise<TableIndex> {
    const index = this.#indexes.get(name);
    if (!index) throw new TypeError(`no such index: ${name}`);
    await (name === 'all' ? this.#all : this.#declared).ready();
    return index;
  }

  /** Makes every declared index before somebody has to wait for it. */
  listDeclared(goOn: () => boolean): Promise<void> {
    return this.#declared.make(goOn);
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

  #follow(before: Kept | undefined, after: Kept | undefined): void {
    this.#declared.replace(before, after);
    this.#all.replace(before, after);
  }

  /** The indexes look into it. */
  #before(id: string): Kept | undefined {
    const kept = this.rows.get(id);
    return kept instanceof UnreadRow && (this.#declared.begun || this.#all.begun) ? kept.read() : kept;
  }
}
