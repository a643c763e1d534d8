import type * as oidc from 'openid-client';
import { type Clock, inSeconds, minutes, sha256 } from '../lib/index.ts';
import type { Outbound } from '../outbound/index.ts';
import { failureOf, UpstreamFailure } from './failure.ts';
import type { Kind, Provider, Wishes } from './kind.ts';
import { kindOf } from './kinds.ts';
import { library } from './library.ts';
import { type Profile, profileOf } from './profile.ts';

export type { Provider } from './kind.ts';

/** One person's way to a provider and back. */
export interface Errand {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** When they were sent, in milliseconds. */
  readonly begunAt: number;
  /** Seconds since they last proved themselves there, at most; 0: they prove themselves now. */
  readonly maxAge?: number | undefined;
}

export interface UpstreamClient {
  /** Where to send the person (RFC 6749 §4.1.1, PKCE S256). @throws UpstreamFailure */
  authorizationUrl(provider: Provider, errand: Errand, wishes: Omit<Wishes, 'maxAge'>): Promise<URL>;
  /** Who came back, from the query of the answer (RFC 6749 §4.1.2, RFC 9207). @throws UpstreamFailure */
  profile(provider: Provider, errand: Errand, answer: URLSearchParams): Promise<Profile>;
}

interface Options {
  readonly outbound: Pick<Outbound, 'fetch'>;
  readonly now: Clock;
}

/** What a provider publishes of itself is believed for so long. Its keys openid-client reads anew every five minutes. */
const FRESH_FOR = minutes(10);

/** Providers remembered at once. */
const MOST = 100;

interface Known {
  readonly config: Promise<oidc.Configuration>;
  readonly at: number;
}

/** Talks to providers. What they publish of themselves is kept; what they say of people is not. */
export function createUpstreamClient({ outbound, now }: Options): UpstreamClient {
  const known = new Map<string, Known>();
  const fetch = outbound.fetch as oidc.CustomFetch;

  /** One request for all that come at once; one that failed is forgotten. */
  async function configured(kind: Kind, provider: Provider): Promise<oidc.Configuration> {
    const { enableNonRepudiationChecks, allowInsecureRequests, customFetch } = await library();
    // The secret is part of what it is made of; here it only has to differ.
    const key = sha256(JSON.stringify(provider));
    const before = known.get(key);
    if (before && now() < before.at + FRESH_FOR) return before.config;
    const plain = provider.issuer.startsWith('http:');
    const config = kind.configure(provider, {
      execute: [enableNonRepudiationChecks, ...(plain ? [allowInsecureRequests] : [])],
      [customFetch]: fetch,
    });
    known.delete(key);
    known.set(key, { config, at: now() });
    if (known.size > MOST) known.delete(known.keys().next().value ?? '');
    config.catch(() => known.get(key)?.config === config && known.delete(key));
    return config;
  }

  /** Whatever a provider makes the library throw is that provider's failure. */
  async function asking<R>({ kind: name }: Provider, work: (kind: Kind) => Promise<R>): Promise<R> {
    const kind = kindOf(name);
    if (!kind) throw new UpstreamFailure('unavailable', `this version knows no upstream of the kind ${name}`);
    try {
      return await work(kind);
    } catch (error) {
      throw await failureOf(error);
    }
  }

  return {
    authorizationUrl: (provider, { state, nonce, verifier, maxAge }, wishes) =>
      asking(provider, async (kind) => {
        const config = await configured(kind, provider);
        const oidc = await library();
        return oidc.buildAuthorizationUrl(config, {
          redirect_uri: provider.redirectUri,
          scope: provider.scopes.join(' '),
          state,
          ...(kind.usesNonce && { nonce }),
          code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
          ...kind.wishes({ ...wishes, maxAge }, config),
        });
      }),

    profile: (provider, { state, nonce, verifier, maxAge, begunAt }, answer) =>
      asking(provider, async (kind) => {
        const config = await configured(kind, provider);
        const oidc = await library();
        const tokens = await oidc.authorizationCodeGrant(config, new URL(`${provider.redirectUri}?${answer}`), {
          expectedState: state,
          pkceCodeVerifier: verifier,
          ...(kind.usesNonce && { expectedNonce: nonce, idTokenExpected: true }),
          // Counted from when they were sent there: they may take their time on the way back.
          ...(maxAge !== undefined && { maxAge: maxAge + inSeconds(now() - begunAt) + 1 }),
        });
        return profileOf(await kind.claims(config, tokens, provider));
      }),
  };
}
