import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { prepared } from './prepared-key.ts';
import { random } from './random.ts';

/** A 256-bit AES key. */
export type SealingKey = Uint8Array & { readonly __sealing?: never };

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Derives an independent key for one purpose from a secret of at least 128 random bits (HKDF-SHA-256, RFC 5869). */
export const deriveKey = (secret: Uint8Array | string, purpose: string): SealingKey =>
  new Uint8Array(hkdfSync('sha256', secret, '', `postern/${purpose}`, 32));

/**
 * Encrypts and authenticates `plain` (AES-256-GCM, random nonce) bound to `label`: what was sealed as one row cannot be
 * opened as another.
 */
export function seal(key: SealingKey, label: string, plain: string): string {
  const nonce = random(NONCE_BYTES, (from, start, end) => Buffer.from(from.subarray(start, end)));
  const cipher = createCipheriv('aes-256-gcm', prepared(key), nonce).setAAD(Buffer.from(label));
  return Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
    'base64url',
  );
}

/** Opens what {@link seal} made. Throws when the key, the label or a single bit is not the one it was sealed with. */
export function unseal(key: SealingKey, label: string, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', prepared(key), bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(label))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
}
