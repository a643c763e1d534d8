import { StoreUnavailable } from '../contract.ts';
import { TABLE_NAMES, type TableName } from '../records.ts';
import type { Batches, StoredRow } from '../whole.ts';
import type { Database } from './database.ts';
import { isLive } from './row.ts';
import { SHARDS, shardOf } from './sharded-map.ts';
import { jsonOf, type Kept } from './unread-row.ts';

/** The event loop is never held longer, so that a backup is not felt. */
const SLICE_MS = 2;
const PLACES = new Map(TABLE_NAMES.map((name, place) => [name, place]));

/**
 * Walks through every row that was live at one moment, while commits go on. A shard is copied when its turn comes; a row
 * that is replaced or removed before then is kept aside. Rows newer than the moment are passed over.
 */
export class Scan {
  /** The last commit whose rows are met. */
  readonly cut: number;
  readonly #database: Database;
  readonly #at: number;
  #table = 0;
  #shard = -1;
  #aside: (readonly [TableName, Kept])[] = [];
  #spoilt = false;

  /** @param at when: what had expired by then is passed over */
  constructor(database: Database, at: number) {
    this.#database = database;
    this.#at = at;
    this.cut = database.sequence;
    database.scans.add(this);
  }

  /** Told of every row that is no longer what it was. */
  replaced(table: TableName, before: Kept): void {
    const place = PLACES.get(table)!;
    const passed = place < this.#table || (place === this.#table && shardOf(before.id) <= this.#shard);
    if (!passed && this.#isMet(before)) this.#aside.push([table, before]);
  }

  /** A commit was taken back: what was met may never have been. */
  spoil(): void {
    this.#spoilt = true;
  }

  /** All of it, in slices of a few milliseconds. */
  async *batches(): Batches {
    let batch: StoredRow[] = [];
    let until = performance.now() + SLICE_MS;
    for (const row of this.#rows()) {
      batch.push(row);
      if (batch.length % 16 > 0 || performance.now() < until) continue;
      yield batch;
      batch = [];
      await new Promise(setImmediate);
      until = performance.now() + SLICE_MS;
    }
    yield batch;
  }

  end(): void {
    this.#database.scans.delete(this);
  }

  *#rows(): Generator<StoredRow> {
    for (const [name, table] of this.#database.tables()) {
      for (let shard = 0; shard < SHARDS; shard += 1) {
        this.#table = PLACES.get(name)!;
        this.#shard = shard;
        for (const row of table.rows.shard(shard)) {
          if (this.#isMet(row)) yield stored(name, row);
          if (this.#spoilt) throw new StoreUnavailable('the store could not write while it was read through');
        }
        for (const [of, row] of this.#aside.splice(0)) yield stored(of, row);
      }
    }
  }

  #isMet(row: Kept): boolean {
    return row.version <= this.cut && isLive(row, this.#at);
  }
}

const stored = (table: TableName, row: Kept): StoredRow => ({
  table,
  id: row.id,
  ...(row.expiresAt !== undefined && { expiresAt: row.expiresAt }),
  json: jsonOf(row),
});
