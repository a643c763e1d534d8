import { type Clock, Refusal } from '../lib/index.ts';
import type { Mark, MarkName, TableName } from './records.ts';
import type { Tally } from './tally.ts';

/**
 * A row on its way from one store to another. Its version stays behind: the store it comes to gives it one of its own, so
 * that what was read here is never expected there.
 */
export interface StoredRow {
  readonly table: TableName;
  readonly id: string;
  readonly expiresAt?: number;
  /** The record as JSON; the same text from every engine. */
  readonly json: string;
}

/** Some rows: as many as are made without holding anything up. */
export type Batch = readonly StoredRow[];

export type Batches = AsyncIterable<Batch>;

/** A store that nobody serves and nobody else has open, to be carried away or filled as a whole. */
export interface AloneStore {
  /** In words, without a password. */
  readonly name: string;
  /** The clock that decides what has expired; it does not go back behind what the store has seen. */
  readonly now: Clock;

  mark(name: MarkName): Promise<Mark | undefined>;

  /** Rows kept per table. */
  counts(): Promise<Readonly<Record<TableName, number>>>;

  /** The records, as JSON, of those rows that are there and live, by id. */
  lookup(table: TableName, ids: readonly string[]): Promise<ReadonlyMap<string, string>>;

  /** Every live row. */
  rows(): Batches;

  /**
   * Puts these rows in place of everything there is: all of them or, whatever fails, nothing. What was written is read
   * back before it counts.
   * @throws Refusal `outcome_unknown` where it failed at the very end: then it is one or the other
   */
  replaceAll(rows: Batches): Promise<Tally>;

  /** Puts a mark, or takes it away. After `moved` no process that is still at it can change the store. */
  setMark(name: MarkName, mark: Mark | undefined): Promise<void>;

  /** Lets go of it. */
  release(): Promise<void>;
}

/** @param name of the store */
export const outcomeUnknown = (name: string, cause: unknown): Refusal =>
  new Refusal(
    'outcome_unknown',
    `${name} failed at the very end, and nobody knows whether it has everything or nothing: run the same command again`,
    { cause },
  );
