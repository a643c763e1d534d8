import type { AnyRow } from './reads.ts';
import { WATCHED, type WatchedTable } from './watched.ts';

/** Rows of one table; more of them than this, and the table is forgotten and begun anew. */
const MOST = 10_000;

/**
 * Rows of the watched tables, good for as long as we hear of every change. It is off until {@link on}, and whatever is
 * read while a table changes is not kept.
 */
export class Cache {
  readonly #rows = new Map<WatchedTable, Map<string, AnyRow>>(WATCHED.map((table) => [table, new Map()]));
  #on = false;
  #age = 0;

  /** Changes whenever anything was dropped: a row read before may be old. */
  get age(): number {
    return this.#age;
  }

  get(table: WatchedTable, id: string): AnyRow | undefined {
    return this.#rows.get(table)!.get(id);
  }

  /** Keeps a row that was asked for at this {@link age}. */
  keep(table: WatchedTable, row: AnyRow, age: number): void {
    if (!this.#on || age !== this.#age) return;
    const rows = this.#rows.get(table)!;
    if (rows.size >= MOST) rows.clear();
    rows.set(row.id, row);
  }

  drop(table: WatchedTable): void {
    this.#age += 1;
    this.#rows.get(table)!.clear();
  }

  on(): void {
    this.#on = true;
  }

  off(): void {
    this.#on = false;
    for (const table of WATCHED) this.drop(table);
  }
}
