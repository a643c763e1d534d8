import type { Keys, PublishedKey } from '../domain/index.ts';
import { sha256 } from '../lib/index.ts';

/** The kinds of JWT we write ourselves, by their `typ` (RFC 8725 §3.11): none passes for another. */
export type JwtType = 'at+jwt' | 'rt+jwt' | 'logout+jwt';

export interface JwtClaims {
  readonly iss: string;
  readonly aud: string | readonly string[];
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
  readonly [claim: string]: unknown;
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Signs with the key that signs now (RFC 7515 compact serialization).
 * @param typ undefined for an ID token, whose header has none
 */
export async function signJwt(keys: Keys, typ: JwtType | undefined, claims: object): Promise<string> {
  const key = keys.signer();
  const signed = `${encode({ alg: key.alg, typ, kid: key.kid })}.${encode(claims)}`;
  return `${signed}.${Buffer.from(await key.sign(Buffer.from(signed))).toString('base64url')}`;
}

/** Whole tokens whose signature was found to be a key's, by their digest: one request looks at a token more than once. */
const verified = new WeakMap<PublishedKey, Set<string>>();
const MOST_KNOWN = 10_000;

function signedBy(key: PublishedKey): Set<string> {
  let known = verified.get(key);
  if (!known) {
    known = new Set();
    verified.set(key, known);
  }
  return known;
}

/**
 * The claims of a JWT of this kind that we signed and issued ourselves, or undefined for anything else: another kind,
 * another issuer, another algorithm than the key's, a changed byte. Whether it has expired is its record's to say.
 */
export function readOwnJwt(keys: Keys, issuer: string, typ: JwtType, token: string): JwtClaims | undefined {
  const [head, body, signature, more] = token.split('.');
  if (!head || !body || !signature || more !== undefined || token.length > 16_384) return undefined;
  // One token, one spelling: base64url has bits and characters that a lenient reader drops (RFC 4648 §3.5).
  const signed = Buffer.from(signature, 'base64url');
  if (signed.toString('base64url') !== signature) return undefined;
  const header = decode(head);
  if (header?.['typ'] !== typ || header['crit'] !== undefined) return undefined;
  const key = keys.published().find(({ kid, alg }) => kid === header['kid'] && alg === header['alg']);
  if (!key) return undefined;
  const known = signedBy(key);
  const digest = sha256(token);
  if (!known.has(digest)) {
    if (!keys.verifies(key, Buffer.from(`${head}.${body}`), signed)) return undefined;
    if (known.size >= MOST_KNOWN) known.clear();
    known.add(digest);
  }
  const claims = decode(body);
  return claims?.['iss'] === issuer && typeof claims['jti'] === 'string' ? (claims as JwtClaims) : undefined;
}
