import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { prepared } from './prepared-key.ts';

/**
 * SHA-256 in base64url. The right hash for values of 256 random bits (client secrets, artifact ids): nothing can be
 * guessed, so slowness buys nothing. Never for a password.
 */
export const sha256 = (of: string | Uint8Array): string => hash('sha256', of, 'base64url');

/** HMAC-SHA-256 in base64url. */
export const hmac = (key: Uint8Array, text: string): string =>
  createHmac('sha256', prepared(key)).update(text).digest('base64url');

/** Equality of two {@link sha256}, in a time that tells nothing of where they differ. */
export const sameDigest = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

/** Equality in a time that tells nothing of where two texts differ. */
export function sameText(a: string, b: string): boolean {
  return sameDigest(sha256(a), sha256(b));
}
