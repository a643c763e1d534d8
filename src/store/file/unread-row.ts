import { deepFreeze } from '../changes.ts';
import { type AnyRow, newRow } from './row.ts';

/**
 * A row whose record nobody has asked for since the start: still the bytes it was read as. A store of a million rows is so
 * a few objects less for each, and what they hold lies where no garbage is collected.
 */
export class UnreadRow {
  readonly id: string;
  readonly version: number;
  readonly #shelf: Buffer;
  readonly #at: number;

  constructor(id: string, version: number, { shelf, at }: Place) {
    this.id = id;
    this.version = version;
    this.#shelf = shelf;
    this.#at = at;
  }

  get expiresAt(): number | undefined {
    const time = this.#shelf.readDoubleLE(this.#at);
    return Number.isNaN(time) ? undefined : time;
  }

  get json(): string {
    const from = this.#at + HEADER;
    return this.#shelf.toString('utf8', from, from + this.#shelf.readUInt32LE(this.#at + TIME));
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
  readonly at: number;
}

const SHELF = 1024 * 1024;
/** Before each record: when it expires, or NaN; and how long it is. A number of its own would be an object for each row. */
const TIME = 8;
const HEADER = TIME + 4;

/** Copies records to where they stay. A shelf goes when the last of them does; those that come together mostly go together. */
export class Shelves {
  #shelf = Buffer.alloc(0);
  #used = 0;

  keep(bytes: Buffer, start: number, end: number, expiresAt = Number.NaN): Place {
    const length = HEADER + end - start;
    if (this.#used + length > this.#shelf.length) {
      this.#shelf = Buffer.allocUnsafeSlow(Math.max(SHELF, length));
      this.#used = 0;
    }
    const at = this.#used;
    this.#shelf.writeDoubleLE(expiresAt, at);
    this.#shelf.writeUInt32LE(end - start, at + TIME);
    bytes.copy(this.#shelf, at + HEADER, start, end);
    this.#used += length;
    return { shelf: this.#shelf, at };
  }
}
