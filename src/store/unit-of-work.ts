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
  readonly #after = new Map<string, () => Promise<void>>();

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
        // What was read first stays what is expected: something may have been made of it already.
        const key = `${table}/${row.id}`;
        if (!this.#read.has(key)) this.#read.set(key, row);
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

  /** `update`: the row must still be as this unit read it, where it did. */
  remove(table: TableName, id: string, { urgent = false, when }: { urgent?: boolean; when?: 'update' } = {}): void {
    const key = `${table}/${id}`;
    const expect = when && this.#read.get(key)?.version;
    this.#pending.set(key, { change: { remove: table, id, ...(expect === undefined ? {} : { expect }) }, urgent });
  }

  /**
   * Does something once the changes are durable: checks what no single row can be expected to say. The same key asks
   * once. What it throws refuses the request after all.
   */
  afterCommit(key: string, work: () => Promise<void>): void {
    this.#after.set(key, work);
  }

  /** Forgets what was read and what was to be changed. */
  clear(): void {
    this.#read.clear();
    this.#pending.clear();
    this.#after.clear();
  }

  /**
   * Makes the changes durable, all or none. Where somebody else was first and the request is refused for it, what is
   * urgent is kept all the same.
   * @param only `urgent` keeps what a refused request must not undo and forgets the rest.
   * @throws whatever a change's `onConflict` throws, or StoreConflict where it has none.
   */
  async commit(only: 'all' | 'urgent' = 'all'): Promise<void> {
    const all = this.#pending;
    const pending = only === 'all' ? all : new Map([...all].filter(([, { urgent }]) => urgent));
    const after = [...this.#after.values()];
    this.#pending = new Map();
    this.#after.clear();
    this.#read.clear();
    await this.#settle(pending);
    for (const work of after) await work();
  }

  async #settle(pending: Map<string, Pending>): Promise<void> {
    for (let attempt = 0; pending.size; attempt++) {
      try {
        return await this.#store.commit([...pending.values()].map(({ change }) => change));
      } catch (error) {
        if (!(error instanceof StoreConflict)) throw error;
        const key = `${error.table}/${error.id}`;
        const lost = pending.get(key);
        try {
          if (!lost?.onConflict || attempt === 10) throw error;
          const fresh = (await this.#store.get(error.table, error.id)) as Row<never> | undefined;
          pending.set(key, { ...lost, change: await lost.onConflict(fresh) });
        } catch (refusal) {
          await this.#keepUrgent(new Map([...pending].filter(([other, { urgent }]) => urgent && other !== key)));
          throw refusal;
        }
      }
    }
  }

  /** Together, whoever dies meanwhile; one that somebody else made first keeps none of the others out. */
  async #keepUrgent(urgent: Map<string, Pending>): Promise<void> {
    while (urgent.size > 0) {
      try {
        return await this.#store.commit([...urgent.values()].map(({ change }) => change));
      } catch (error) {
        if (!(error instanceof StoreConflict) || !urgent.delete(`${error.table}/${error.id}`)) throw error;
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
