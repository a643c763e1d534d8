import { withRoom } from './with-room.ts';

/**
 * A binary heap of slots by the moment they are due; the earliest is on top. Flat arrays: for a garbage collection it is
 * three objects. A slot is due once: earlier entries of it than the one that counts are passed over when they come up.
 */
export class ExpiryHeap {
  #times = new Float64Array(16);
  #slots = new Uint32Array(16);
  #length = 0;
  /** By slot, when it is due; 0 when it is not. */
  #due = new Float64Array(16);

  /** Nothing is due before; infinity when nothing is. */
  get firstAt(): number {
    return this.#length === 0 ? Number.POSITIVE_INFINITY : this.#times[0]!;
  }

  /** A slot is due at `at`, or was before: then it comes up too early, and has to be pushed again. */
  push(at: number, slot: number): void {
    this.#due = withRoom(this.#due, slot);
    const due = this.#due[slot]!;
    if (due !== 0 && due <= at) return;
    this.#due[slot] = at;
    this.#times = withRoom(this.#times, this.#length);
    this.#slots = withRoom(this.#slots, this.#length);
    let place = this.#length;
    this.#length += 1;
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      if (this.#times[parent]! <= at) break;
      this.#copy(parent, place);
      place = parent;
    }
    this.#set(place, at, slot);
  }

  /** Takes the first one off, which must be there; undefined for one that was due earlier and has come up already. */
  shift(): number | undefined {
    const time = this.#times[0]!;
    const first = this.#slots[0]!;
    this.#length -= 1;
    this.#sink(this.#times[this.#length]!, this.#slots[this.#length]!);
    if (this.#due[first] !== time) return undefined;
    this.#due[first] = 0;
    return first;
  }

  /** Puts what was last in the place of the first. */
  #sink(at: number, slot: number): void {
    let place = 0;
    for (let child = 1; child < this.#length; child = 2 * place + 1) {
      if (child + 1 < this.#length && this.#times[child + 1]! < this.#times[child]!) child += 1;
      if (at <= this.#times[child]!) break;
      this.#copy(child, place);
      place = child;
    }
    this.#set(place, at, slot);
  }

  #copy(from: number, to: number): void {
    this.#set(to, this.#times[from]!, this.#slots[from]!);
  }

  #set(place: number, at: number, slot: number): void {
    this.#times[place] = at;
    this.#slots[place] = slot;
  }
}
