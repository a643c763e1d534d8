import { OrderedIds } from './ordered-ids.ts';
import { ShardedMap } from './sharded-map.ts';
import { type Kept, recordOf } from './unread-row.ts';

const SLICE_MS = 3;

/**
 * The ids of a table's rows by a value in their records. It is made when it is first needed, in slices: a start does not
 * wait for it, and most tables are never listed whole.
 */
export class TableIndex {
  readonly of: (record: object) => string | undefined;
  readonly #rows: ShardedMap<Kept>;
  /** Most values have one id: kept bare, an ordered set for each would be most of the memory of a large store. */
  readonly #ids = new ShardedMap<string | OrderedIds>();
  #made: Promise<void> | undefined;

  constructor(of: TableIndex['of'], rows: ShardedMap<Kept>) {
    this.of = of;
    this.#rows = rows;
  }

  /** Resolves when {@link ids} knows every row. */
  ready(): Promise<void> {
    this.#made ??= this.#make();
    return this.#made;
  }

  /** Ids in order, from the first that follows `after`. Nothing may change while they are read. */
  ids(value: string, after: string | undefined): Iterable<string> {
    const ids = this.#ids.get(value);
    if (typeof ids === 'string') return after === undefined || ids > after ? [ids] : [];
    return ids?.after(after) ?? [];
  }

  /** Follows a change of one row. While the index is being made it may meet a row here, there, or twice. */
  replace(before: Kept | undefined, after: Kept | undefined): void {
    if (!this.#made) return;
    const old = before && this.of(recordOf(before));
    const value = after && this.of(recordOf(after));
    if (old === value) return;
    if (old !== undefined) this.#remove(old, before!.id);
    if (value !== undefined) this.#add(value, after!.id);
  }

  async #make(): Promise<void> {
    let until = performance.now() + SLICE_MS;
    let count = 0;
    for (const row of this.#rows.values()) {
      const value = this.of(recordOf(row));
      if (value !== undefined) this.#add(value, row.id);
      count += 1;
      if (count % 64 > 0 || performance.now() < until) continue;
      await new Promise(setImmediate);
      until = performance.now() + SLICE_MS;
    }
  }

  #add(value: string, id: string): void {
    const ids = this.#ids.get(value);
    if (ids === undefined) this.#ids.set(value, id);
    else if (ids instanceof OrderedIds) ids.add(id);
    else if (ids !== id) this.#ids.set(value, new OrderedIds([ids, id]));
  }

  #remove(value: string, id: string): void {
    const ids = this.#ids.get(value);
    if (ids instanceof OrderedIds) {
      ids.delete(id);
      if (ids.size === 0) this.#ids.delete(value);
    } else if (ids === id) this.#ids.delete(value);
  }
}
