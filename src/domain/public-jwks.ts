import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { Refusal } from '../lib/index.ts';
import type { Client } from '../store/index.ts';

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const MOST = 20;

const refuse = (why: string): never => {
  throw new Refusal('jwks_invalid', `the JWK set ${why}`);
};

/** The public keys an application proves itself by (RFC 7523). @throws Refusal `jwks_invalid` */
export function parsePublicJwks(value: unknown): NonNullable<Client['jwks']> {
  const keys = (value as { keys?: unknown } | null | undefined)?.keys;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MOST)
    return refuse(`must be {"keys": […]} with 1 to ${MOST} keys`);
  return { keys: keys.map(parseKey) };
}

function parseKey(jwk: unknown): Readonly<Record<string, unknown>> {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return refuse('holds something that is no key');
  if (PRIVATE_MEMBERS.some((member) => member in jwk)) return refuse('holds a private key: give the public ones only');
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    if (key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048)
      return refuse('holds an RSA key of fewer than 2048 bits');
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    return refuse('holds a key that cannot be read');
  }
  return jwk as Readonly<Record<string, unknown>>;
}
