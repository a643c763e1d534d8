import { deepFreeze } from '../../changes.ts';
import { hashOf } from './hash.ts';
import { type AnyRow, newRow } from './row.ts';
import type { RowBytes } from './row-bytes.ts';
import { Shelves } from './shelves.ts';
import { SlotTable } from './slot-table.ts';
import type { SpareBuffers } from './spare-buffers.ts';
import { withRoom } from './with-room.ts';

/** Before each row: when it expires, or NaN; its version; how long its id is. */
const VERSION = 8;
const ID_LENGTH = 16;
const HEADER = 18;

/** The first four bytes of an id, zeros where there are fewer: in the order of ids, as far as they tell. */
function beginningOf(bytes: Buffer, from: number, to: number): number {
  let beginning = 0;
  for (let at = from; at < from + 4; at += 1) beginning = beginning * 256 + (at < to ? bytes[at]! : 0);
  return beginning;
}

/**
 * The rows of a table as bytes outside of the heap, where no garbage is collected. A row has a slot, a small number, for
 * as long as it is there, whatever is put in its place: who goes through the slots in order meets what stays once.
 */
export class Rows {
  #size = 0;
  /** By slot; 0 where there is no row. */
  #places = new Uint32Array(16);
  /** By slot, how the row's id begins: most are told apart by that, without a look at the row. */
  #beginnings = new Uint32Array(16);
  #end = 0;
  readonly #free: number[] = [];
  readonly #byId = new SlotTable();
  readonly #shelves: Shelves;

  constructor(spare: SpareBuffers) {
    this.#shelves = new Shelves(
      spare,
      (slot) => this.#places[slot]!,
      (slot, place) => {
        this.#places[slot] = place;
      },
    );
  }

  get size(): number {
    return this.#size;
  }

  /** Every slot is below. */
  get end(): number {
    return this.#end;
  }

  has(slot: number): boolean {
    return this.#places[slot] !== 0;
  }

  /** The slot of a row; -1 where there is none. */
  find(id: string): number {
    const bytes = Buffer.from(id);
    return this.#find(hashOf(bytes), bytes, 0, bytes.length);
  }

  /** Copies a row, in place of the one with its id; its slot. */
  put(row: RowBytes): number {
    const hash = hashOf(row.bytes, row.id, row.idEnd);
    const found = this.#find(hash, row.bytes, row.id, row.idEnd);
    const slot = found < 0 ? (this.#free.at(-1) ?? this.#end) : found;
    const before = found < 0 ? 0 : this.#places[slot]!;
    // First: where there is no room for it, nothing has changed.
    const place = this.#write(slot, row);
    if (found < 0) {
      this.#added(hash, slot);
      this.#beginnings[slot] = beginningOf(row.bytes, row.id, row.idEnd);
    }
    this.#places[slot] = place;
    if (before > 0) this.#shelves.free(before);
    return slot;
  }

  #added(hash: number, slot: number): void {
    this.#places = withRoom(this.#places, slot);
    this.#beginnings = withRoom(this.#beginnings, slot);
    this.#byId.add(hash, slot);
    if (slot === this.#end) this.#end += 1;
    else this.#free.pop();
    this.#size += 1;
  }

  remove(slot: number): void {
    const place = this.#places[slot]!;
    const from = this.#shelves.at(place) + HEADER;
    const bytes = this.#shelves.bytes(place);
    this.#byId.delete(hashOf(bytes, from, from + this.#idLength(place)), slot);
    this.#places[slot] = 0;
    this.#free.push(slot);
    this.#size -= 1;
    this.#shelves.free(place);
  }

  id(slot: number): string {
    const place = this.#places[slot]!;
    const from = this.#shelves.at(place) + HEADER;
    return this.#shelves.bytes(place).toString('utf8', from, from + this.#idLength(place));
  }

  version(slot: number): number {
    const place = this.#places[slot]!;
    return this.#shelves.bytes(place).readDoubleLE(this.#shelves.at(place) + VERSION);
  }

  /** Undefined where it does not expire, or is not there. */
  expiresAt(slot: number): number | undefined {
    const place = this.#places[slot]!;
    const time = place === 0 ? Number.NaN : this.#shelves.bytes(place).readDoubleLE(this.#shelves.at(place));
    return Number.isNaN(time) ? undefined : time;
  }

  /** Its record. */
  json(slot: number): string {
    const place = this.#places[slot]!;
    const at = this.#shelves.at(place);
    const from = at + HEADER + this.#idLength(place);
    return this.#shelves.bytes(place).toString('utf8', from, at + this.#shelves.length(place));
  }

  open(slot: number, id: string): AnyRow {
    return newRow(id, this.version(slot), this.expiresAt(slot), deepFreeze(JSON.parse(this.json(slot))));
  }

  /** The order of a row's id and another in bytes, as PostgreSQL has it: below 0 where the row comes first. */
  compare(slot: number, other: Buffer, from = 0, to = other.length): number {
    const place = this.#places[slot]!;
    const bytes = this.#shelves.bytes(place);
    const at = this.#shelves.at(place) + HEADER;
    const length = this.#idLength(place);
    // Most differ soon: Buffer.compare takes longer to be called.
    for (let i = 0; i < length && from + i < to; i += 1) {
      const difference = bytes[at + i]! - other[from + i]!;
      if (difference !== 0) return difference;
    }
    return length - (to - from);
  }

  compareSlots(one: number, other: number): number {
    const difference = this.#beginnings[one]! - this.#beginnings[other]!;
    if (difference !== 0) return difference;
    const place = this.#places[other]!;
    const at = this.#shelves.at(place) + HEADER;
    return this.compare(one, this.#shelves.bytes(place), at, at + this.#idLength(place));
  }

  #find(hash: number, bytes: Buffer, from: number, to: number): number {
    return this.#byId.find(hash, (slot) => this.compare(slot, bytes, from, to) === 0);
  }

  #idLength(place: number): number {
    return this.#shelves.bytes(place).readUInt16LE(this.#shelves.at(place) + ID_LENGTH);
  }

  #write(slot: number, { bytes, id, idEnd, json, jsonEnd, version, expiresAt }: RowBytes): number {
    const place = this.#shelves.take(slot, HEADER + idEnd - id + jsonEnd - json);
    const to = this.#shelves.bytes(place);
    const at = this.#shelves.at(place);
    to.writeDoubleLE(expiresAt ?? Number.NaN, at);
    to.writeDoubleLE(version, at + VERSION);
    to.writeUInt16LE(idEnd - id, at + ID_LENGTH);
    bytes.copy(to, at + HEADER, id, idEnd);
    bytes.copy(to, at + HEADER + idEnd - id, json, jsonEnd);
    return place;
  }
}
