import type { Page, Row, SeenRow, Store, TableName, Tables } from '../store/index.ts';

/** What is read of a store here. */
export type Reader = Pick<Store, 'get' | 'find' | 'unchanged'>;

/**
 * What an answer rests on: every row that was read for it, as it was then, and the time until which it holds if nothing
 * changes. It reads like the store it is of.
 */
export class Grounds implements Pick<Reader, 'get' | 'find'> {
  readonly #store: Reader;
  readonly #rows: SeenRow[] = [];
  #until = Number.POSITIVE_INFINITY;

  constructor(store: Reader) {
    this.#store = store;
  }

  async get<T extends TableName>(table: T, id: string): Promise<Row<Tables[T]> | undefined> {
    const row = await this.#store.get(table, id);
    this.#rows.push({ table, id, version: row?.version });
    return row;
  }

  /** Rests on the rows that are found, not on there being no others: for what belongs to one row alone. */
  find: Reader['find'] = async (table, index, value, page?: Page) => {
    const found = await this.#store.find(table, index, value, page);
    for (const { id, version } of found.rows) this.#rows.push({ table, id, version });
    return found;
  };

  /** @param time in milliseconds since 1970 */
  until(time: number): void {
    this.#until = Math.min(this.#until, time);
  }

  /** Whether all of it is still as it was: no row has changed, gone or come. Undefined where that cannot be told at once. */
  standAtOnce(now: number): boolean | undefined {
    return now < this.#until && this.#store.unchanged(this.#rows);
  }

  /** The same, from rows that are read again. */
  async stand(now: number): Promise<boolean> {
    if (now >= this.#until) return false;
    const rows = await Promise.all(this.#rows.map(({ table, id }) => this.#store.get(table, id)));
    return this.#rows.every(({ version }, at) => rows[at]?.version === version);
  }
}
