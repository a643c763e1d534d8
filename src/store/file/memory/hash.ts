import { randomBytes } from 'node:crypto';

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
