import type { IndexName, TableName, Tables } from './records.ts';

/** A row as it is kept. `record` is deeply frozen: change it by putting a new one. */
export interface Row<R> {
  readonly id: string;
  /** Names this state of the row: every put gives a larger one, and none ever returns for the same id. */
  readonly version: number;
  /** Milliseconds since the epoch; from then on the row does not exist. */
  readonly expiresAt?: number;
  readonly record: R;
}

/** What must be true of the row for the commit to happen: no live row, or exactly this version of it. */
export type Expectation = 'absent' | number;

export type Put<T extends TableName = TableName> = {
  [K in T]: {
    readonly put: K;
    readonly id: string;
    readonly record: Tables[K];
    readonly expiresAt?: number;
    readonly expect?: Expectation;
  };
}[T];

/** Removing what is not there is no error, unless a version was expected. */
export interface Remove {
  readonly remove: TableName;
  readonly id: string;
  readonly expect?: number;
}

export type Change = Put | Remove;

export interface Page {
  /** Rows after this id, exclusive: the `next` of the page before. */
  readonly after?: string;
  /** At most this many rows; 100 unless said, never more than 1,000. */
  readonly limit?: number;
}

export interface Found<R> {
  readonly rows: readonly Row<R>[];
  /** Give this as `after` for the next page; absent on the last one. */
  readonly next?: string;
}

/** A row that was read, or that was not there. */
export interface SeenRow {
  readonly table: TableName;
  readonly id: string;
  readonly version: number | undefined;
}

export interface StoreStats {
  readonly engine: 'file' | 'postgres';
  /** Rows kept per table, expired ones that are not yet swept included; on PostgreSQL an estimate beyond 10,000. */
  readonly rows: Readonly<Record<TableName, number>>;
  readonly bytes: number;
  /** Commits so far, and the seconds the slowest of the last ones took to be durable. */
  readonly commits: number;
  /** False while commits reject, because one could not be made durable; reads answer. */
  readonly writable: boolean;
  /** Why it is not writable, in a few words. */
  readonly fault?: string;
}

/**
 * Where everything that must outlive the process is kept. One contract, proven for every engine by `test/store/contract.ts`.
 *
 * Atomic: a commit happens whole or not at all, and no reader sees half of it.
 * Once: of any number of commits expecting the same version, exactly one succeeds, across processes.
 * Durable: when a commit resolves, its changes survive `kill -9` and power loss (tables declared `relaxed` excepted:
 * those survive `kill -9`, and are on the disk within 200 ms).
 * Honest: a commit that could not be made durable rejects with {@link StoreUnavailable}; it is never acknowledged.
 */
export interface Store {
  /** The live row, or undefined when there is none or it has expired. */
  get<T extends TableName>(table: T, id: string): Promise<Row<Tables[T]> | undefined>;

  /** Live rows whose `index` has this value, in the order of their ids. The index `all` with the value `''` is the whole table. */
  find<T extends TableName>(table: T, index: IndexName<T>, value: string, page?: Page): Promise<Found<Tables[T]>>;

  /**
   * Whether all of these are as they were when they were seen: none has changed, gone or come. Undefined where the engine
   * cannot say so at once; then they are to be read again.
   */
  unchanged(seen: readonly SeenRow[]): boolean | undefined;

  /**
   * The only way to change anything. Expectations speak of the state before the commit; a row is changed once in it.
   * An empty list resolves at once.
   * @throws TypeError when a change is not one: no such table, an id that is not text of 1 to 800 characters, a record
   * that is not plain JSON (properties that are undefined are left out) or is found by anything but text, two changes of
   * one row; nothing was changed.
   * @throws StoreConflict when an expectation fails; nothing was changed.
   * @throws StoreUnavailable when the change could not be made durable, or nobody knows whether it was.
   */
  commit(changes: readonly Change[]): Promise<void>;

  /** Removes rows whose `expiresAt` is `now` or before, in small steps; the number removed. */
  sweep(now: number): Promise<number>;

  stats(): Promise<StoreStats>;

  /** Waits for what was acknowledged to be durable, then lets go of everything. Later calls reject. */
  close(): Promise<void>;
}

/** An expectation of a commit did not hold: somebody else was first. */
export class StoreConflict extends Error {
  readonly table: TableName;
  readonly id: string;

  constructor(table: TableName, id: string) {
    super(`conflict on ${table}`);
    this.name = 'StoreConflict';
    this.table = table;
    this.id = id;
  }
}

/** The store cannot acknowledge anything at present; the edge answers 503. */
export class StoreUnavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreUnavailable';
  }
}
