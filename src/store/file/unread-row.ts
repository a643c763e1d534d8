import { deepFreeze } from '../changes.ts';
import { type AnyRow, newRow } from './row.ts';

/**
 * A row whose record nobody has asked for since the start: still the bytes it was read as. A store of a million rows is so
 * a few objects less for each, and what they hold lies where no garbage is collected.
 */
export class UnreadRow {
  readonly id: string;
  readonly version: number;
  readonly expiresAt: number | undefined;
  readonly #shelf: Buffer;
  readonly #from: number;
  readonly #to: number;

  /** @param place of the record's JSON, which stays there */
  constructor(
    { id, version, expiresAt }: { id: string; version: number; expiresAt: number | undefined },
    { shelf, from, to }: Place,
  ) {
    this.id = id;
    this.version = version;
    this.expiresAt = expiresAt;
    this.#shelf = shelf;
    this.#from = from;
    this.#to = to;
  }

  get json(): string {
    return this.#shelf.toString('utf8', this.#from, this.#to);
  }

  read(): AnyRow {
    return newRow(this.id, this.version, this.expiresAt, deepFreeze(JSON.parse(this.json)));
  }
}

/** A row as a table keeps it. */
export type Kept = AnyRow | UnreadRow;

export const recordOf = (row: Kept): object => (row instanceof UnreadRow ? JSON.parse(row.json) : row.record);

export const jsonOf = (row: Kept): string => (row instanceof UnreadRow ? row.json : JSON.stringify(row.record));

export interface Place {
  readonly shelf: Buffer;
  readonly from: number;
  readonly to: number;
}

const SHELF = 1024 * 1024;

/** Copies records to where they stay. A shelf goes when the last of them does; those that come together mostly go together. */
export class Shelves {
  #shelf = Buffer.alloc(0);
  #used = 0;

  keep(bytes: Buffer, start: number, end: number): Place {
    const length = end - start;
    if (this.#used + length > this.#shelf.length) {
      this.#shelf = Buffer.allocUnsafeSlow(Math.max(SHELF, length));
      this.#used = 0;
    }
    const from = this.#used;
    bytes.copy(this.#shelf, from, start, end);
    this.#used += length;
    return { shelf: this.#shelf, from, to: this.#used };
  }
}
