import type { WWWAuthenticateChallengeError } from 'openid-client';
import { OutboundError } from '../outbound/index.ts';
import { library } from './library.ts';
import { objectIn } from './object-in.ts';

/** Why somebody was not signed in, as a person is told it. */
type FailureReason =
  /** They said no there, or were not let in. */
  | 'denied'
  /** The provider is down, slow, or will not talk to us. */
  | 'unavailable'
  /** Its answer is not one that can be trusted. */
  | 'untrusted'
  /** It does not say that they proved themselves lately, and that was asked. */
  | 'stale';

/** A provider did not vouch for anybody. `message` is the rule that refused, for the operator; it holds no secret. */
export class UpstreamFailure extends Error {
  readonly reason: FailureReason;

  constructor(reason: FailureReason, rule: string, options?: ErrorOptions) {
    super(rule, options);
    this.name = 'UpstreamFailure';
    this.reason = reason;
  }
}

/** Errors of an authorization response (RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6) by which a person was not let in. */
const DENIALS = new Set([
  'access_denied',
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
  'user_cancelled_login',
  'user_denied',
]);

/** Whatever went wrong on the way to a provider and back, as a failure of that provider. */
export async function failureOf(error: unknown): Promise<UpstreamFailure> {
  if (error instanceof UpstreamFailure) return error;
  const chain = [...causes(error)];
  const outbound = chain.find((each) => each instanceof OutboundError);
  if (outbound) return new UpstreamFailure('unavailable', outbound.message, { cause: error });
  const oidc = await library();
  if (error instanceof oidc.AuthorizationResponseError)
    return new UpstreamFailure(
      DENIALS.has(error.error) ? 'denied' : 'unavailable',
      `it answered ${quoted(error.error)}: ${quoted(error.error_description)}`,
      { cause: error },
    );
  if (error instanceof oidc.ResponseBodyError || error instanceof oidc.WWWAuthenticateChallengeError) {
    const said = error instanceof oidc.ResponseBodyError ? error.cause : await besideChallenge(error);
    return new UpstreamFailure(
      // A code that is not ours was given to us by somebody else.
      said['error'] === 'invalid_grant' ? 'untrusted' : 'unavailable',
      `it answered ${error.status} ${quoted(said['error'])}: ${quoted(said['error_description'])}`,
      { cause: error },
    );
  }
  const words = chain.map(({ message }) => message).join(': ');
  if (/\bauth_time\b|elapsed since the last End-User authentication/.test(words))
    return new UpstreamFailure('stale', words, { cause: error });
  const status = chain.map(statusOf).find((each) => each !== undefined);
  if (status !== undefined) return new UpstreamFailure('unavailable', `${words} (status ${status})`, { cause: error });
  return new UpstreamFailure('untrusted', words, { cause: error });
}

/** A wrong client secret comes with a challenge (RFC 6749 §5.2), and with a body that nobody has read yet. */
async function besideChallenge({
  cause: [challenge],
  response,
}: WWWAuthenticateChallengeError): Promise<Readonly<Record<string, unknown>>> {
  const body: unknown = await response.json().catch(() => undefined);
  return { ...challenge?.parameters, ...objectIn(body) };
}

function* causes(error: unknown): Generator<Error> {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) yield at;
}

/** The status of an answer that was not the expected one: openid-client leaves it as the cause. */
const statusOf = ({ cause }: Error): number | undefined => (cause instanceof Response ? cause.status : undefined);

/** A foreign text in a line of ours: short, and quoted so that it cannot look like ours. */
const quoted = (text: unknown): string => (typeof text === 'string' ? JSON.stringify(text.slice(0, 200)) : '(nothing)');
