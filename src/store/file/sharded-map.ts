/** How many parts a map has. */
export const SHARDS = 64;

/**
 * A Map in many parts. A Map that grows or shrinks past a power of two is laid out anew in one go, which holds the event
 * loop for 60 ms at a million entries; a part of it takes one.
 */
export class ShardedMap<V> {
  readonly #shards: Map<string, V>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    return this.#shards[shardOf(key)]?.get(key);
  }

  set(key: string, value: V): void {
    const at = shardOf(key);
    this.#shards[at] ??= new Map();
    const shard = this.#shards[at];
    const before = shard.size;
    shard.set(key, value);
    this.#size += shard.size - before;
  }

  delete(key: string): void {
    if (this.#shards[shardOf(key)]?.delete(key)) this.#size -= 1;
  }

  /** What one part holds at this moment. */
  shard(at: number): V[] {
    return [...(this.#shards[at]?.values() ?? [])];
  }

  /** As with a Map, entries may come and go meanwhile: what stays is met once. */
  *values(): Generator<V> {
    for (let at = 0; at < SHARDS; at += 1) yield* this.#shards[at]?.values() ?? [];
  }
}

/** Which part has this key. Our ids end in what tells them apart. */
export function shardOf(key: string): number {
  const last = key.length - 1;
  return (key.charCodeAt(last) * 31 + key.charCodeAt(last - 1) * 7 + key.charCodeAt(last - 2) + last) % SHARDS || 0;
}
