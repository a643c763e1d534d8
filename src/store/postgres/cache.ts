import type { AnyRow } from './reads.ts';
import { WATCHED, type WatchedTable } from './watched.ts';

/** Rows of one table; more of them than this, and the table is forgotten and begun anew. */
const MOST = 10_000;
/** Ids of which there is no row, likewise: strangers can ask for any, and are not to push rows out. */
const MOST_ABSENT = 1_000;

/**
 * Rows of the watched tables, and of which there is none, good for as long as we hear of every change. It is off until {@link on}, and whatever is
 * read while a table changes is not kept.
 */
export class Cache {
  readonly #rows = new Map<WatchedTable, Map<string, AnyRow>>(WATCHED.map((table) => [table, new Map()]));
  readonly #absent = new Map<WatchedTable, Set<string>>(WATCHED.map((table) => [table, new Set()]));
  #on = false;
  #age = 0;

  /** Changes whenever anything was dropped: a row read before may be old. */
  get age(): number {
    return this.#age;
  }

  get(table: WatchedTable, id: string): AnyRow | 'absent' | undefined {
    return this.#rows.get(table)!.get(id) ?? (this.#absent.get(table)!.has(id) ? 'absent' : undefined);
  }

  /** Keeps what was there when it was asked for at this {@link age}. */
  keep(table: WatchedTable, id: string, row: AnyRow | undefined, age: number): void {
    if (!this.#on || age !== this.#age) return;
    const kept = row ? this.#rows.get(table)! : this.#absent.get(table)!;
    if (kept.size >= (row ? MOST : MOST_ABSENT)) kept.clear();
    if (row) this.#rows.get(table)!.set(id, row);
    else this.#absent.get(table)!.add(id);
  }

  drop(table: WatchedTable): void {
    this.#age += 1;
    this.#rows.get(table)!.clear();
    this.#absent.get(table)!.clear();
  }

  on(): void {
    this.#on = true;
  }

  off(): void {
    this.#on = false;
    for (const table of WATCHED) this.drop(table);
  }
}
