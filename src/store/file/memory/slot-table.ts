/** Parts of a table, so that one that grows is laid out anew in a millisecond, not in 60. */
const PARTS = 64;
const FIRST_BITS = 3;

/**
 * Slots by a hash of 32 bits, several for one where they share it. Open addressing in flat arrays: for a garbage
 * collection it is a few objects, however much it holds.
 */
export class SlotTable {
  readonly #parts: Part[] = [];

  add(hash: number, slot: number): void {
    const at = partOf(hash);
    this.#parts[at] ??= new Part();
    this.#parts[at].add(hash, slot);
  }

  /** It must be there. */
  delete(hash: number, slot: number): void {
    this.#parts[partOf(hash)]!.delete(hash, slot);
  }

  /** The first slot of this hash of which `isIt` is true; -1 where there is none. */
  find(hash: number, isIt: (slot: number) => boolean): number {
    return this.#parts[partOf(hash)]?.find(hash, isIt) ?? -1;
  }
}

const partOf = (hash: number): number => hash & (PARTS - 1);

/** Pairs of a hash and a slot, counted from 1, at the place the hash's first bits name or at the next that was free. */
class Part {
  #pairs = new Int32Array(2 << FIRST_BITS);
  #bits = FIRST_BITS;
  #size = 0;

  add(hash: number, slot: number): void {
    if (this.#size * 4 >= 3 * (1 << this.#bits)) this.#grow();
    const pairs = this.#pairs;
    let at = this.#home(hash);
    while (pairs[at + 1] !== 0) at = this.#after(at);
    pairs[at] = hash;
    pairs[at + 1] = slot + 1;
    this.#size += 1;
  }

  find(hash: number, isIt: (slot: number) => boolean): number {
    const at = this.#find(hash, isIt);
    return at < 0 ? -1 : this.#pairs[at + 1]! - 1;
  }

  /** What follows moves up, so that no search ends too early. */
  delete(hash: number, slot: number): void {
    const pairs = this.#pairs;
    let hole = this.#find(hash, (found) => found === slot);
    const distance = (from: number, to: number) => (to - from) & (pairs.length - 1);
    for (let at = this.#after(hole); pairs[at + 1] !== 0; at = this.#after(at)) {
      if (distance(this.#home(pairs[at]!), at) < distance(hole, at)) continue;
      pairs.copyWithin(hole, at, at + 2);
      hole = at;
    }
    pairs.fill(0, hole, hole + 2);
    this.#size -= 1;
  }

  #find(hash: number, isIt: (slot: number) => boolean): number {
    const pairs = this.#pairs;
    for (let at = this.#home(hash); pairs[at + 1] !== 0; at = this.#after(at))
      if (pairs[at] === hash && isIt(pairs[at + 1]! - 1)) return at;
    return -1;
  }

  #home(hash: number): number {
    return (hash >>> (32 - this.#bits)) << 1;
  }

  #after(at: number): number {
    return (at + 2) & (this.#pairs.length - 1);
  }

  #grow(): void {
    const old = this.#pairs;
    this.#bits += 1;
    this.#size = 0;
    this.#pairs = new Int32Array(2 << this.#bits);
    for (let at = 0; at < old.length; at += 2) if (old[at + 1] !== 0) this.add(old[at]!, old[at + 1]! - 1);
  }
}
