import { type Change, type Put, type Row, type Store, StoreConflict } from './contract.ts';
import { type IndexName, indexValue, type TableName, type Tables } from './records.ts';

interface Pending {
  readonly change: Change;
  /** Kept even when the request is refused: revocations, and proofs that must not be seen twice. */
  readonly urgent: boolean;
  /** What to do when somebody else was first: make the row anew from what is there now, or throw the refusal. */
  readonly onConflict?: ((fresh: Row<never> | undefined) => Promise<Change> | Change) | undefined;
}

interface PutOptions<T extends TableName> {
  readonly expiresAt?: number;
  /** `once`: no such row may exist. `update`: the row must still be as this unit read it. Neither: whatever is there. */
  readonly when?: 'once' | 'update';
  readonly urgent?: boolean;
  readonly onConflict?: (fresh: Row<Tables[T]> | undefined) => Promise<Put<T>> | Put<T>;
}

/**
 * What one request reads and changes. It sees its own changes at once; the store sees them all together, in one
 * commit, when the request has succeeded.
 */
export class UnitOfWork {
  readonly #store: Store;
  readonly #read = new Map<string, Row<unknown> | undefined>();
  #pending = new Map<string, Pending>();

  constructor(store: Store) {
    this.#store = store;
  }

  async get<T extends TableName>(table: T, id: string): Promise<Row<Tables[T]> | undefined> {
    const key = `${table}/${id}`;
    const pending = this.#pending.get(key)?.change;
    if (pending) return 'put' in pending ? asRow(pending as Put<T>) : undefined;
    if (!this.#read.has(key)) this.#read.set(key, await this.#store.get(table, id));
    return this.#read.get(key) as Row<Tables[T]> | undefined;
  }

  /** Every row with this value of the index, this unit's changes included. */
  async find<T extends TableName>(table: T, index: IndexName<T>, value: string): Promise<Row<Tables[T]>[]> {
    const rows = new Map<string, Row<Tables[T]>>();
    let after: string | undefined;
    do {
      const page = await this.#store.find(table, index, value, after ? { after, limit: 1000 } : { limit: 1000 });
      for (const row of page.rows) {
        rows.set(row.id, row);
        this.#read.set(`${table}/${row.id}`, row);
      }
      after = page.next;
    } while (after);
    for (const { change } of this.#pending.values()) {
      if ('remove' in change && change.remove === table) rows.delete(change.id);
      if ('put' in change && change.put === table) {
        if (indexValue(table, String(index), change.record) === value) rows.set(change.id, asRow(change as Put<T>));
        else rows.delete(change.id);
      }
    }
    return [...rows.values()];
  }

  put<T extends TableName>(table: T, id: string, record: Tables[T], options: PutOptions<T> = {}): void {
    const { expiresAt, when, urgent = false, onConflict } = options;
    const key = `${table}/${id}`;
    const earlier = this.#pending.get(key);
    const expect =
      earlier?.change.expect ??
      (when === 'once' ? 'absent' : when === 'update' ? this.#read.get(key)?.version : undefined);
    const change = {
      put: table,
      id,
      record,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(expect === undefined ? {} : { expect }),
    } as Change;
    this.#pending.set(key, {
      change,
      urgent: urgent || (earlier?.urgent ?? false),
      onConflict: (onConflict as Pending['onConflict']) ?? earlier?.onConflict,
    });
  }

  remove(table: TableName, id: string, { urgent = false } = {}): void {
    this.#pending.set(`${table}/${id}`, { change: { remove: table, id }, urgent });
  }

  /** Forgets what was read and what was to be changed. */
  clear(): void {
    this.#read.clear();
    this.#pending.clear();
  }

  /**
   * Makes the changes durable, all or none.
   * @param only `urgent` keeps what a refused request must not undo and forgets the rest.
   * @throws whatever a change's `onConflict` throws, or StoreConflict where it has none.
   */
  async commit(only: 'all' | 'urgent' = 'all'): Promise<void> {
    const pending = new Map([...this.#pending].filter(([, { urgent }]) => only === 'all' || urgent));
    this.#pending = new Map();
    this.#read.clear();
    for (let attempt = 0; pending.size; attempt++) {
      try {
        return await this.#store.commit([...pending.values()].map(({ change }) => change));
      } catch (error) {
        if (!(error instanceof StoreConflict) || attempt === 10) throw error;
        const key = `${error.table}/${error.id}`;
        const lost = pending.get(key);
        if (!lost?.onConflict) throw error;
        const fresh = (await this.#store.get(error.table, error.id)) as Row<never> | undefined;
        pending.set(key, { ...lost, change: await lost.onConflict(fresh) });
      }
    }
  }
}

const asRow = <T extends TableName>({ id, record, expiresAt }: Put<T>): Row<Tables[T]> => ({
  id,
  version: 0,
  record: record as Tables[T],
  ...(expiresAt === undefined ? {} : { expiresAt }),
});
