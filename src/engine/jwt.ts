import type { Keys, PublishedKey, SigningAlgorithm } from '../domain/index.ts';

/** The kinds of JWT we write ourselves, by their `typ` (RFC 8725 §3.11): none passes for another. */
export type JwtType = 'at+jwt' | 'rt+jwt' | 'logout+jwt';

interface JwtClaims {
  readonly iss: string;
  readonly aud: string | readonly string[];
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
  readonly [claim: string]: unknown;
}

const encode = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** What a JWT says that was checked before; undefined where it is none. */
export const claimsIn = (token: string): Readonly<Record<string, unknown>> | undefined =>
  decode(token.split('.')[1] ?? '');

/** Which key a JWT says it was signed with. */
export const kidOf = (token: string): unknown => decode(token.split('.')[0] ?? '')?.['kid'];

/**
 * Signs with the key that signs now (RFC 7515 compact serialization).
 * @param typ undefined for an ID token, whose header has none
 * @param claims or their JSON
 * @param alg another than RS256 only where the reader chose it
 */
export async function signJwt(
  keys: Keys,
  typ: JwtType | undefined,
  claims: object | string,
  alg?: SigningAlgorithm,
): Promise<string> {
  const key = keys.signer(alg);
  const signed = `${headerOf(key, typ)}.${encode(claims)}`;
  const signature = await key.sign(Buffer.from(signed, 'latin1'));
  return `${signed}.${signature.toString('base64url')}`;
}

/** By key, an object for as long as nothing about it changes. */
const headers = new WeakMap<PublishedKey, Map<JwtType | undefined, string>>();

function headerOf(key: PublishedKey, typ: JwtType | undefined): string {
  const known = headers.get(key)?.get(typ);
  if (known) return known;
  const header = encode({ alg: key.alg, typ, kid: key.kid });
  headers.set(key, (headers.get(key) ?? new Map()).set(typ, header));
  return header;
}

/**
 * Access tokens that were read: one request looks at its token more than once, and an API asks about the same ones again.
 * A refresh token is good for one request, and would be in the way here.
 */
const known = new Map<string, { readonly key: PublishedKey; readonly claims: JwtClaims }>();
/** About three kilobytes each. */
const MOST_KNOWN = 3_000;
const KEPT: JwtType = 'at+jwt';

/**
 * The claims of a JWT of this kind that we signed and issued ourselves, or undefined for anything else: another kind,
 * another issuer, another algorithm than the key's, a changed byte. Whether it has expired is its record's to say.
 */
export function readOwnJwt(keys: Keys, issuer: string, typ: JwtType, token: string): JwtClaims | undefined {
  const read = typ === KEPT ? known.get(token) : undefined;
  // By the very key that is published now: one that was revoked is not.
  if (read && keys.published().includes(read.key)) return read.claims.iss === issuer ? read.claims : undefined;
  const [head, body, signature, more] = token.split('.');
  if (!head || !body || !signature || more !== undefined || token.length > 16_384) return undefined;
  // One token, one spelling: base64url has bits and characters that a lenient reader drops (RFC 4648 §3.5).
  const signed = Buffer.from(signature, 'base64url');
  if (signed.toString('base64url') !== signature) return undefined;
  const header = decode(head);
  if (header?.['typ'] !== typ || header['crit'] !== undefined) return undefined;
  const key = keys.published().find(({ kid, alg }) => kid === header['kid'] && alg === header['alg']);
  if (!key) return undefined;
  if (!keys.verifies(key, Buffer.from(`${head}.${body}`), signed)) return undefined;
  const claims = decode(body);
  if (claims?.['iss'] !== issuer || typeof claims['jti'] !== 'string') return undefined;
  if (typ === KEPT) {
    if (known.size >= MOST_KNOWN) known.clear();
    // A copy: a part of a request's body would keep all of that body.
    known.set(Buffer.from(token).toString('latin1'), { key, claims: claims as JwtClaims });
  }
  return claims as JwtClaims;
}
