const CHUNK = 256;

/** Below 0 where a slot comes before what is looked for, above 0 where it comes after. */
type Compare = (slot: number) => number;

/**
 * A set of slots that is always in order. Sorted chunks instead of one sorted array: adding to a million costs a few
 * comparisons and a move of at most 256 numbers.
 */
export class OrderedSlots {
  readonly #chunks: number[][] = [];
  readonly #order: (one: number, other: number) => number;
  #size = 0;

  constructor(order: (one: number, other: number) => number) {
    this.#order = order;
  }

  get size(): number {
    return this.#size;
  }

  add(slot: number): void {
    const compare: Compare = (other) => this.#order(other, slot);
    const at = Math.min(this.#chunkFor(compare), Math.max(this.#chunks.length - 1, 0));
    const chunk = this.#chunks[at] ?? [];
    if (this.#chunks.length === 0) this.#chunks.push(chunk);
    chunk.splice(firstNotBefore(chunk, compare), 0, slot);
    this.#size += 1;
    if (chunk.length > CHUNK) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK / 2));
  }

  /** It must be there. */
  delete(slot: number): void {
    const compare: Compare = (other) => this.#order(other, slot);
    const at = this.#chunkFor(compare);
    const chunk = this.#chunks[at]!;
    chunk.splice(firstNotBefore(chunk, compare), 1);
    this.#size -= 1;
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** The slots in order, from the first that follows what is looked for. Nothing may be added or deleted meanwhile. */
  *after(compare: Compare): Generator<number> {
    let at = this.#chunkFor(compare);
    const first = this.#chunks[at] ?? [];
    let place = firstNotBefore(first, compare);
    if (place < first.length && compare(first[place]!) === 0) place += 1;
    for (; at < this.#chunks.length; at += 1, place = 0) {
      const chunk = this.#chunks[at]!;
      for (; place < chunk.length; place += 1) yield chunk[place]!;
    }
  }

  /** The first chunk that does not end before; the number of chunks when all do. */
  #chunkFor(compare: Compare): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(this.#chunks[middle]!.at(-1)!) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function firstNotBefore(sorted: readonly number[], compare: Compare): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(sorted[middle]!) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
