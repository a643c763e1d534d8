import { hashOf } from './hash.ts';
import { OrderedSlots } from './ordered-slots.ts';
import type { Rows } from './rows.ts';
import { SlotTable } from './slot-table.ts';
import { withRoom } from './with-room.ts';

/** A value that more rows have is kept in order; to sort fewer each time costs nothing. */
const FEW = 16;

/**
 * The rows of a table by a value in their records. It knows hashes of the values alone: {@link has} tells of a row that was
 * found whether it is one.
 */
export class TableIndex {
  readonly #of: (record: object) => string | undefined;
  readonly #rows: Rows;
  /** By slot; 0 where the row has no value. */
  #hashes = new Int32Array(16);
  readonly #few = new SlotTable();
  readonly #many = new Map<number, OrderedSlots>();

  constructor(of: (record: object) => string | undefined, rows: Rows) {
    this.#of = of;
    this.#rows = rows;
  }

  has(value: string, record: object): boolean {
    return this.#of(record) === value;
  }

  /** Slots in the order of their ids, from the first that follows `after`: all that have the value, and rarely another. */
  slots(value: string, after = ''): Iterable<number> {
    const hash = hashOfValue(value);
    const last = Buffer.from(after);
    const compare = (slot: number) => this.#rows.compare(slot, last);
    const many = this.#many.get(hash);
    if (many) return many.after(compare);
    const few = this.#fewOf(hash).sort((one, other) => this.#rows.compareSlots(one, other));
    return after === '' ? few : few.filter((slot) => compare(slot) > 0);
  }

  /** Takes in what a slot holds now; without a record, that it is about to be free. */
  set(slot: number, record?: object): void {
    const value = record && this.#of(record);
    const hash = value === undefined ? 0 : hashOfValue(value);
    const before = this.#hashes[slot] ?? 0;
    if (before === hash) return;
    if (before !== 0) this.#remove(before, slot);
    if (hash !== 0) this.#add(hash, slot);
    this.#hashes = withRoom(this.#hashes, slot);
    this.#hashes[slot] = hash;
  }

  #add(hash: number, slot: number): void {
    const many = this.#many.get(hash);
    if (many) many.add(slot);
    else {
      this.#few.add(hash, slot);
      const few = this.#fewOf(hash);
      if (few.length > FEW) this.#order(hash, few);
    }
  }

  #order(hash: number, few: readonly number[]): void {
    const ordered = new OrderedSlots((one, other) => this.#rows.compareSlots(one, other));
    for (const one of few) {
      this.#few.delete(hash, one);
      ordered.add(one);
    }
    this.#many.set(hash, ordered);
  }

  #remove(hash: number, slot: number): void {
    const many = this.#many.get(hash);
    if (many) {
      many.delete(slot);
      if (many.size === 0) this.#many.delete(hash);
    } else this.#few.delete(hash, slot);
  }

  #fewOf(hash: number): number[] {
    const slots: number[] = [];
    this.#few.find(hash, (slot) => {
      slots.push(slot);
      return false;
    });
    return slots;
  }
}

const hashOfValue = (value: string): number => hashOf(Buffer.from(value)) || 1;
