import { UpstreamFailure } from './failure.ts';

/** Claims of OpenID Connect (Core §5.1), or what a provider calls them, before anything is believed of them. */
export interface Claims {
  readonly sub?: unknown;
  readonly name?: unknown;
  readonly preferred_username?: unknown;
  readonly email?: unknown;
  /** Whether the provider itself answers for the address. */
  readonly emailVerified?: unknown;
  /** Seconds (OIDC Core §2). */
  readonly auth_time?: unknown;
}

/** Somebody a provider vouches for. Texts are clean; none of them says who the person is but `subject`. */
export interface Profile {
  readonly subject: string;
  /** What the provider calls them, for their own eyes. */
  readonly label?: string;
  readonly name?: string;
  readonly email?: string;
  readonly emailVerified: boolean;
  /** When they proved themselves there, in milliseconds. */
  readonly provedAt?: number;
}

/** OIDC Core §2: at most 255 characters of ASCII. Nothing is cut or cleaned: what differs is somebody else. */
const SUBJECT = /^[\x20-\x7E]{1,255}$/;

/** What may be believed of hostile claims. @throws UpstreamFailure where they do not say who it is */
export function profileOf(claims: Claims): Profile {
  const { sub, auth_time } = claims;
  if (typeof sub !== 'string' || !SUBJECT.test(sub))
    throw new UpstreamFailure('untrusted', 'its subject is no text of 1 to 255 characters of ASCII (OIDC Core §2)');
  const email = emailIn(claims.email);
  const name = textIn(claims.name);
  const label = email ?? textIn(claims.preferred_username) ?? name;
  return {
    subject: sub,
    ...(label && { label }),
    ...(name && { name }),
    ...(email && { email }),
    // Some send the word instead of the value.
    emailVerified: email !== undefined && (claims.emailVerified === true || claims.emailVerified === 'true'),
    ...(typeof auth_time === 'number' &&
      Number.isFinite(auth_time) &&
      auth_time >= 0 && { provedAt: auth_time * 1000 }),
  };
}

const LONGEST = 200;

/** One line without anything invisible; undefined where that leaves nothing. */
function textIn(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const line = value
    .slice(0, 4 * LONGEST)
    .replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return [...line].slice(0, LONGEST).join('').trim() || undefined;
}

/** Whether it is an address the domain decides; here it only must be one line that somebody could have typed. */
const emailIn = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[^\s\p{C}]{3,254}$/u.test(value) && value.includes('@') ? value : undefined;
