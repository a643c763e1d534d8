import { StoreUnavailable } from '../../contract.ts';
import { TABLE_NAMES, type TableName } from '../../records.ts';
import type { Batches, StoredRow } from '../../whole.ts';
import type { Database } from './database.ts';
import { type AnyRow, isLive } from './row.ts';

/** The event loop is never held longer, so that a backup is not felt. */
const SLICE_MS = 2;
const PLACES = new Map(TABLE_NAMES.map((name, place) => [name, place]));

/**
 * Walks through every row that was live at one moment, while commits go on. A row that stays keeps its slot; one
 * that is replaced or removed before its slot's turn comes is kept aside. Rows newer than the moment are passed over.
 */
export class Scan {
  /** The last commit whose rows are met. */
  readonly cut: number;
  readonly #database: Database;
  readonly #at: number;
  #table = 0;
  /** The last slot whose turn has come. */
  #slot = -1;
  #aside: StoredRow[] = [];
  #spoilt = false;

  /** @param at when: what had expired by then is passed over */
  constructor(database: Database, at: number) {
    this.#database = database;
    this.#at = at;
    this.cut = database.sequence;
    database.scans.add(this);
  }

  /** Told of every row that is about to be another, or to go. */
  replacing(table: TableName, before: AnyRow): void {
    const place = PLACES.get(table)!;
    const slot = this.#database.table(table).rows.find(before.id);
    const passed = place < this.#table || (place === this.#table && slot <= this.#slot);
    if (passed || !this.#isMet(before)) return;
    const { id, expiresAt, record } = before;
    this.#aside.push({ table, id, ...(expiresAt !== undefined && { expiresAt }), json: JSON.stringify(record) });
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
    for (const [table, { rows }] of this.#database.tables()) {
      this.#table = PLACES.get(table)!;
      for (let slot = 0; slot < rows.end; slot += 1) {
        this.#slot = slot;
        const expiresAt = rows.expiresAt(slot);
        if (rows.has(slot) && this.#isMet({ version: rows.version(slot), expiresAt }))
          yield { table, id: rows.id(slot), ...(expiresAt !== undefined && { expiresAt }), json: rows.json(slot) };
        if (this.#spoilt) throw new StoreUnavailable('the store could not write while it was read through');
      }
      this.#slot = Number.POSITIVE_INFINITY;
      yield* this.#aside.splice(0);
    }
  }

  #isMet(row: { readonly version: number; readonly expiresAt?: number | undefined }): boolean {
    return row.version <= this.cut && isLive(row, this.#at);
  }
}
