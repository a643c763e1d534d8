import type { Context } from 'koa';
import { type AccessToken, type ClientCredentials, errors, type Provider } from 'oidc-provider';
import { PROOF_ALGORITHMS } from '../domain/index.ts';
import { challenge, HttpRefusal } from '../http/index.ts';
import type { Store } from '../store/index.ts';
import { grantHelpers } from './internals.ts';
import { isUnrecorded } from './tokens.ts';
import { besideTheEngine } from './unit.ts';

/** What a token says that was shown and is good now. */
export interface Presented {
  readonly scheme: 'Bearer' | 'DPoP';
  readonly clientId: string;
  /** The person, where it is not the client's own. */
  readonly accountId?: string;
  /** How they had proven who they are, in words of RFC 8176. */
  readonly amr: readonly string[];
  readonly scopes: readonly string[];
}

interface Options {
  readonly provider: Provider;
  readonly store: Store;
  /** Of the API that is asked. */
  readonly audience: string;
}

type Scheme = Presented['scheme'];
type Token = AccessToken | ClientCredentials;

const SHOWN = /^(Bearer|DPoP) +([\w.~+/-]+=*) *$/i;

/**
 * Reads the access token that a request to an API of this server shows (RFC 6750 §2.1, RFC 9449 §7.1), as /introspect would
 * tell of it at this moment: signed by us for this API, on record, its grant and its session still there.
 * @throws HttpRefusal 401
 */
export async function presented({ provider, store, audience }: Options, ctx: Context): Promise<Presented> {
  const { issuer } = provider;

  /** RFC 6750 §3, RFC 9449 §7.1. */
  function refused(scheme: Scheme, sentence: string, error = 'invalid_token'): HttpRefusal {
    const said = { realm: issuer, error, error_description: sentence };
    const algs = scheme === 'DPoP' ? PROOF_ALGORITHMS.join(' ') : undefined;
    return unauthorized(sentence, challenge(scheme, { ...said, algs }), error);
  }

  const [, word = '', value = ''] = SHOWN.exec(ctx.get('Authorization')) ?? [];
  if (!value) {
    const realm = issuer;
    const both = [challenge('Bearer', { realm }), challenge('DPoP', { realm, algs: PROOF_ALGORITHMS.join(' ') })];
    throw unauthorized('an access token of this server is needed', both.join(', '));
  }
  const scheme: Scheme = word.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer';

  const token = await besideTheEngine(store, () => liveToken(provider, value));
  if (!token || token.aud !== audience)
    throw refused(scheme, 'the token is none of this server for this API, or it has expired or was revoked');
  if (isUnrecorded(token))
    throw refused(
      scheme,
      'the token is on no record and could not be revoked: this API has to be registered as revocable',
    );
  const { jkt } = token as { jkt?: string };
  if (scheme === 'Bearer' && jkt)
    throw refused('DPoP', 'the token is bound to a key: it is shown as DPoP, with a proof');
  if (scheme === 'DPoP') {
    if (!jkt) throw refused('Bearer', 'the token is bound to no key: it is shown as Bearer');
    await prove(token, jkt);
  }
  const { accountId, clientId = '', extra = {} } = token as Token & { accountId?: string; extra?: { amr?: string[] } };
  return { scheme, clientId, ...(accountId && { accountId }), amr: extra.amr ?? [], scopes: [...token.scopes] };

  /** RFC 9449 §4.3, by the engine, for which any endpoint is one of its own. */
  async function prove({ clientId = '' }: Token, jkt: string): Promise<void> {
    const url = new URL(ctx.path, issuer).href;
    const asked = Object.create(ctx, {
      oidc: { value: { provider, route: 'presented', urlFor: () => url } },
    }) as Parameters<typeof grantHelpers.validateDpop>[1];
    try {
      await besideTheEngine(store, async () => {
        const proof = await grantHelpers.validateDpop(provider, asked, value);
        if (!proof) throw new errors.InvalidDpopProof('a DPoP proof is needed');
        if (proof.thumbprint !== jkt) throw new errors.InvalidDpopProof('the proof is of another key than the token');
        await grantHelpers.checkDpopReplay(provider, asked, proof, clientId);
      }).catch(usedTwice);
    } catch (error) {
      if (!(error instanceof errors.OIDCProviderError)) throw error;
      throw refused('DPoP', error.error_description ?? error.message, error.error);
    }
  }
}

/** Found as /introspect finds it (oidc-provider `lib/actions/introspection.js`). */
async function liveToken(provider: Provider, value: string): Promise<Token | undefined> {
  const { AccessToken, ClientCredentials, Grant } = provider;
  const token = (await AccessToken.find(value)) ?? (await ClientCredentials.find(value));
  if (!token?.isValid) return undefined;
  if (!('grantId' in token) || !token.grantId) return token;
  const grant = await Grant.find(token.grantId, { ignoreExpiration: true });
  const holds = grant?.isValid === true && grant.clientId === token.clientId && grant.accountId === token.accountId;
  return holds ? token : undefined;
}

/** The engine's list of proofs says so of an assertion, where it is asked outside of a request of its own. */
function usedTwice(error: unknown): never {
  throw error instanceof errors.InvalidClientAuth
    ? new errors.InvalidDpopProof('the DPoP proof was already used')
    : error;
}

const unauthorized = (sentence: string, header: string, error = 'invalid_token'): HttpRefusal =>
  new HttpRefusal('token_refused', sentence, { status: 401, error, headers: { 'WWW-Authenticate': header } });
