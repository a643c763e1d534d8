import { challenge, HttpRefusal } from '../../http/index.ts';
import { Refusal } from '../../lib/index.ts';
import type { Route } from './routes.ts';

interface Shown {
  readonly issuer: string;
  readonly scheme: 'Bearer' | 'DPoP';
}

/** RFC 6750 §3.1. */
export const noLongerGood = ({ issuer, scheme }: Shown, sentence: string): HttpRefusal =>
  new HttpRefusal('token_refused', sentence, {
    status: 401,
    error: 'invalid_token',
    headers: {
      'WWW-Authenticate': challenge(scheme, { realm: issuer, error: 'invalid_token', error_description: sentence }),
    },
  });

/** RFC 9470 §3: the application has its person sign in once more, with what is missing. */
export const proofNeeded = ({ issuer, scheme }: Shown, acr: string): HttpRefusal => {
  const error = 'insufficient_user_authentication';
  return new HttpRefusal('proof_needed', 'the person has to have proven more when they signed in', {
    status: 401,
    error,
    headers: { 'WWW-Authenticate': challenge(scheme, { realm: issuer, error, acr_values: acr }) },
  });
};

/** RFC 6750 §3.1. */
export const scopeNeeded = ({ issuer, scheme }: Shown, scope: string): HttpRefusal =>
  new HttpRefusal('scope_needed', `this needs the scope ${scope}`, {
    status: 403,
    error: 'insufficient_scope',
    headers: { 'WWW-Authenticate': challenge(scheme, { realm: issuer, error: 'insufficient_scope', scope }) },
  });

/** No other token would help: `insufficient_scope` would have the application ask for one (RFC 6749 §4.1.2.1). */
export const accessDenied = (): HttpRefusal =>
  new HttpRefusal('not_an_operator', 'the person is no operator', { status: 403, error: 'access_denied' });

export const nothingHere = (): HttpRefusal =>
  new HttpRefusal('not_found', 'there is nothing at this address', { status: 404, error: 'not_found' });

export const wrongMethod = (allowed: readonly string[]): HttpRefusal =>
  new HttpRefusal('method_not_allowed', `This address answers to ${allowed.join(', ')} only.`, {
    status: 405,
    headers: { Allow: allowed.join(', ') },
  });

export const wrongArguments = (sentence: string): Refusal => new Refusal('arguments_invalid', sentence);

/** What the domain says when there is none of what the path names, by where the path begins. */
const MISSING: Readonly<Record<string, readonly string[]>> = {
  users: ['user_unknown', 'session_unknown'],
  clients: ['client_unknown'],
  resources: ['resource_unknown'],
  upstreams: ['upstream_unknown'],
  'registration-tokens': ['registration_unknown'],
  keys: ['key_unknown'],
  refusals: ['refusal_unknown'],
};

/** It would be done if it were not for what there is already. */
const CONFLICT = /^(?:conflict|last_operator)$|_(?:taken|exists|in_use|pending)$/;

function statusOf({ path }: Route, code: string): number {
  if (code === 'busy') return 503;
  if (path.includes('{') && MISSING[path.split('/')[1] ?? '']?.includes(code)) return 404;
  return CONFLICT.test(code) ? 409 : 400;
}

/** What an operation refuses, told by its own code. What is no refusal is somebody else's to tell. */
export function refusedBy(route: Route, cause: unknown): unknown {
  if (!(cause instanceof Refusal) || cause instanceof HttpRefusal) return cause;
  const status = statusOf(route, cause.code);
  const busy = status === 503;
  return new HttpRefusal(cause.code, cause.message, {
    status,
    error: busy ? 'temporarily_unavailable' : cause.code,
    ...(busy && { headers: { 'Retry-After': '1' } }),
    cause,
  });
}
