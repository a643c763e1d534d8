import { randomBytes } from 'node:crypto';

/** A row as bytes that lie somewhere: good for as long as they stay there. */
export interface RowBytes {
  readonly bytes: Buffer;
  /** Where its id begins, and ends. */
  readonly id: number;
  readonly idEnd: number;
  /** Where its record begins as JSON, and ends. */
  readonly json: number;
  readonly jsonEnd: number;
  readonly version: number;
  readonly expiresAt: number | undefined;
}

interface Head {
  readonly id: string;
  readonly version: number;
  readonly expiresAt?: number | undefined;
}

/** @param json its record */
export function inBytes({ id, version, expiresAt }: Head, json: string): RowBytes {
  const bytes = Buffer.from(id + json);
  const idEnd = Buffer.byteLength(id);
  return { bytes, id: 0, idEnd, json: idEnd, jsonEnd: bytes.length, version, expiresAt };
}

/** Another for each process: nobody can choose ids that meet. */
const SEED = randomBytes(4).readInt32LE();

/** 32 bits, FNV-1a with the end of MurmurHash3. */
export function hashOf(bytes: Buffer, from = 0, to = bytes.length): number {
  let hash = SEED;
  for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** A flat array with room for this place: the same, or one twice as long. */
export function withRoom<A extends Int32Array | Uint32Array | Float64Array>(array: A, place: number): A {
  if (place < array.length) return array;
  const longer = new (array.constructor as new (length: number) => A)(Math.max(2 * array.length, place + 1, 16));
  longer.set(array);
  return longer;
}
