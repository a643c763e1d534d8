import { StoreUnavailable } from '../contract.ts';
import { OrderedIds } from './ordered-ids.ts';
import { ShardedMap } from './sharded-map.ts';
import { type Kept, recordOf } from './unread-row.ts';

/** The ids of a table's rows by a value in their records. */
export class TableIndex {
  readonly #of: (record: object) => string | undefined;
  /** Most values have one id: kept bare, an ordered set for each would be most of the memory of a large store. */
  readonly #ids = new ShardedMap<string | OrderedIds>();

  constructor(of: (record: object) => string | undefined) {
    this.#of = of;
  }

  /** Ids in order, from the first that follows `after`. Nothing may change while they are read. */
  ids(value: string, after: string | undefined): Iterable<string> {
    const ids = this.#ids.get(value);
    if (typeof ids === 'string') return after === undefined || ids > after ? [ids] : [];
    return ids?.after(after) ?? [];
  }

  /** Follows a change of one row. While the index is being made it may meet a row here, there, or twice. */
  replace(id: string, before: object | undefined, after: object | undefined): void {
    const old = before && this.#of(before);
    const value = after && this.#of(after);
    if (old === value) return;
    if (old !== undefined) this.#remove(old, id);
    if (value !== undefined) this.#add(value, id);
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

const SLICE_MS = 3;
/** Where nobody waits for them: so much is left to everybody else. */
const PAUSE_MS = 6;

/**
 * Indexes that are made together, in one walk through the rows that reads each once. They are made when they are first
 * needed, in slices: a start does not wait for them, and most tables are never listed whole.
 */
export class Indexes {
  readonly #indexes: readonly TableIndex[];
  readonly #rows: ShardedMap<Kept>;
  #made: Promise<void> | undefined;
  #awaited = false;

  constructor(indexes: readonly TableIndex[], rows: ShardedMap<Kept>) {
    this.#indexes = indexes;
    this.#rows = rows;
  }

  /** Whether they follow changes. */
  get begun(): boolean {
    return this.#made !== undefined;
  }

  /** Resolves when they know every row. */
  ready(): Promise<void> {
    this.#awaited = true;
    return this.make();
  }

  /**
   * The same, for whoever can wait.
   * @param goOn false once the store closes: then it rejects
   */
  make(goOn: () => boolean = () => true): Promise<void> {
    this.#made ??= this.#walk(goOn);
    return this.#made;
  }

  replace(before: Kept | undefined, after: Kept | undefined): void {
    if (!this.#made) return;
    const [old, record] = [before && recordOf(before), after && recordOf(after)];
    for (const index of this.#indexes) index.replace((after ?? before)!.id, old, record);
  }

  async #walk(goOn: () => boolean): Promise<void> {
    let until = performance.now() + SLICE_MS;
    let count = 0;
    for (const row of this.#rows.values()) {
      const record = recordOf(row);
      for (const index of this.#indexes) index.replace(row.id, undefined, record);
      count += 1;
      if (count % 64 > 0 || performance.now() < until) continue;
      await new Promise((resolve) => (this.#awaited ? setImmediate(resolve) : setTimeout(resolve, PAUSE_MS)));
      if (!goOn()) throw new StoreUnavailable('the store is closed');
      until = performance.now() + SLICE_MS;
    }
  }
}
