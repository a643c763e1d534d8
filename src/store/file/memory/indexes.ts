import { StoreUnavailable } from '../../contract.ts';
import type { Rows } from './rows.ts';
import type { TableIndex } from './table-index.ts';

const SLICE_MS = 3;
/** Where nobody waits for them: so much is left to everybody else. */
const PAUSE_MS = 6;

/**
 * Indexes that are made together, in one walk through the rows that reads each once. They are made when they are first
 * needed, in slices: a start does not wait for them, and most tables are never listed whole.
 */
export class Indexes {
  readonly #indexes: readonly TableIndex[];
  readonly #rows: Rows;
  readonly #read: (slot: number) => object;
  #made: Promise<void> | undefined;
  #awaited = false;

  /** @param read what they want to know of a row */
  constructor(indexes: readonly TableIndex[], rows: Rows, read: (slot: number) => object) {
    this.#indexes = indexes;
    this.#rows = rows;
    this.#read = read;
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

  /** Follows a row that was put; `record` opens it. The walk may meet it before, or again. */
  put(slot: number, record: () => object): void {
    if (this.#made && this.#indexes.length > 0) this.#set(slot, record());
  }

  /** Follows a row that is about to go. */
  remove(slot: number): void {
    for (const index of this.#indexes) index.set(slot);
  }

  #set(slot: number, record: object): void {
    for (const index of this.#indexes) index.set(slot, record);
  }

  async #walk(goOn: () => boolean): Promise<void> {
    if (this.#indexes.length === 0) return;
    let until = performance.now() + SLICE_MS;
    for (let slot = 0; slot < this.#rows.end; slot += 1) {
      if (this.#rows.has(slot)) this.#set(slot, this.#read(slot));
      if (slot % 64 < 63 || performance.now() < until) continue;
      await new Promise((resolve) => (this.#awaited ? setImmediate(resolve) : setTimeout(resolve, PAUSE_MS)));
      if (!goOn()) throw new StoreUnavailable('the store is closed');
      until = performance.now() + SLICE_MS;
    }
  }
}
