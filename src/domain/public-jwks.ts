import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { Refusal } from '../lib/index.ts';
import type { Client } from '../store/index.ts';

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
/** What is kept of a key beside `key_ops` (RFC 7517 §4, RFC 7518 §6). */
const TEXTS = ['kty', 'use', 'alg', 'kid', 'crv', 'x', 'y', 'n', 'e'] as const;
const MOST = 20;

/** What each kind of key may sign with. Ed25519 is what EdDSA is called by now (RFC 9864). */
const SIGNS = { rsa: ['RS256', 'PS256'], 'P-256': ['ES256'], ed25519: ['Ed25519', 'EdDSA'] } as const;

/** How clients may sign what they prove: assertions and DPoP proofs. */
export const PROOF_ALGORITHMS = [...SIGNS.rsa, ...SIGNS['P-256'], ...SIGNS.ed25519] as const;

const refuse = (why: string): never => {
  throw new Refusal('jwks_invalid', `the JWK set ${why}`);
};

/** The public keys an application proves itself by (RFC 7523). @throws Refusal `jwks_invalid` */
export function parsePublicJwks(value: unknown): NonNullable<Client['jwks']> {
  const keys = (value as { keys?: unknown } | null | undefined)?.keys;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MOST)
    return refuse(`must be {"keys": […]} with 1 to ${MOST} keys`);
  const parsed = keys.map(parseKey);
  if (!parsed.some(canProve))
    return refuse('holds no key to sign with: RSA for RS256 or PS256, P-256 for ES256, or Ed25519');
  return { keys: parsed };
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
  return kept(jwk as Readonly<Record<string, unknown>>);
}

/** What tells a key and what it is for; whatever else came with it, certificates say, nobody here reads. */
function kept(jwk: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { key_ops: ops } = jwk;
  if (ops !== undefined && !(Array.isArray(ops) && ops.every((op) => typeof op === 'string')))
    return refuse('holds a key whose key_ops are no list of texts');
  const texts = TEXTS.filter((member) => jwk[member] !== undefined).map((member) => [member, jwk[member]] as const);
  const odd = texts.find(([, value]) => typeof value !== 'string');
  if (odd) return refuse(`holds a key whose ${odd[0]} is no text`);
  return { ...Object.fromEntries(texts), ...(ops !== undefined && { key_ops: ops }) };
}

/** Others may be among them, an application's keys for something else; with those alone it could never prove itself. */
function canProve({ kty, crv, alg, use = 'sig' }: Readonly<Record<string, unknown>>): boolean {
  const kind = kty === 'RSA' ? 'rsa' : crv === 'Ed25519' ? 'ed25519' : crv === 'P-256' ? crv : undefined;
  const algorithms: readonly unknown[] = kind ? SIGNS[kind] : [];
  return use === 'sig' && algorithms.some((each) => (alg ?? each) === each);
}
