const CHUNK = 256;

/**
 * A set of ids that is always in order. Sorted chunks instead of one sorted array: adding to a million costs a few
 * comparisons and a move of at most 256 pointers.
 */
export class OrderedIds {
  readonly #chunks: string[][] = [];
  #size = 0;

  constructor(ids: readonly string[] = []) {
    for (const id of ids) this.add(id);
  }

  get size(): number {
    return this.#size;
  }

  add(id: string): void {
    const at = Math.min(this.#chunkFor(id), Math.max(this.#chunks.length - 1, 0));
    const chunk = this.#chunks[at] ?? [];
    const place = firstNotBefore(chunk, id);
    if (chunk[place] === id) return;
    if (this.#chunks.length === 0) this.#chunks.push(chunk);
    chunk.splice(place, 0, id);
    this.#size += 1;
    if (chunk.length > CHUNK) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK / 2));
  }

  delete(id: string): void {
    const at = this.#chunkFor(id);
    const chunk = this.#chunks[at];
    if (!chunk) return;
    const place = firstNotBefore(chunk, id);
    if (chunk[place] !== id) return;
    chunk.splice(place, 1);
    this.#size -= 1;
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** The ids in order, from the first that follows `id`. Nothing may be added or deleted while it is read. */
  *after(id = ''): Generator<string> {
    let at = this.#chunkFor(id);
    let place = firstNotBefore(this.#chunks[at] ?? [], id);
    if (this.#chunks[at]?.[place] === id) place += 1;
    for (; at < this.#chunks.length; at += 1, place = 0) {
      const chunk = this.#chunks[at]!;
      for (; place < chunk.length; place += 1) yield chunk[place]!;
    }
  }

  /** The first chunk that ends at `id` or after it; the number of chunks when all end before. */
  #chunkFor(id: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#chunks[middle]!.at(-1)! < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function firstNotBefore(sorted: readonly string[], id: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
