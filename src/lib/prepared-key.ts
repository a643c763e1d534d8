import { createSecretKey, type KeyObject } from 'node:crypto';

const known = new WeakMap<Uint8Array, KeyObject>();

/** The key as Node's ciphers and HMACs take it without copying it each time, which costs more than they do. */
export function prepared(key: Uint8Array): KeyObject {
  let object = known.get(key);
  if (!object) {
    object = createSecretKey(key);
    known.set(key, object);
  }
  return object;
}
