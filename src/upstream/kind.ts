import type * as oidc from 'openid-client';
import type { Claims } from './profile.ts';

/** What an operator said of a provider, as far as its kind is concerned. */
export interface Said {
  readonly issuer?: string | undefined;
  readonly tenant?: string | undefined;
}

/** A registered provider, with the secret we have there. */
export interface Provider {
  readonly id: string;
  readonly kind: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  readonly scopes: readonly string[];
  /** Where it sends people back to. */
  readonly redirectUri: string;
}

/** What an application asked, as far as it may be passed on. */
export interface Wishes {
  readonly loginHint?: string | undefined;
  readonly uiLocales?: string | undefined;
  /** They are to prove themselves anew, or did so at most this many seconds ago. */
  readonly maxAge?: number | undefined;
  /** They are to choose an account. */
  readonly choose?: boolean | undefined;
}

/** What a provider answered at its token endpoint, checked by openid-client. */
export type Tokens = Awaited<ReturnType<typeof oidc.authorizationCodeGrant>>;

/** How a kind of provider is talked to: a new one is a file and a row of kinds.ts. */
export interface Kind {
  /** Its name on a button. */
  readonly name: string;
  /** What tells where it is, beside its kind: what an operator may say of it, or must. Absent where it is in one place. */
  readonly place?: { readonly by: keyof Said; readonly needed: boolean };
  /** The issuer, from what the operator said. @throws Refusal `issuer_missing`, `issuer_unused`, `tenant_unused` */
  issuerFrom(said: Said): string;
  /** Asked for unless the operator says otherwise. */
  readonly scopes: readonly string[];
  /** Whether it can be made to ask people to prove themselves, and says when they did (`max_age`, `auth_time`). */
  readonly provesFreshness: boolean;
  /** It issues ID tokens, so a nonce is sent and expected. */
  readonly usesNonce: boolean;
  /** How it is reached. `options` go to openid-client. */
  configure(provider: Provider, options: oidc.DiscoveryRequestOptions): Promise<oidc.Configuration>;
  /** Parameters of the authorization request beyond OAuth's own. */
  wishes(wishes: Wishes, config: oidc.Configuration): Readonly<Record<string, string>>;
  /** Who it is. */
  claims(config: oidc.Configuration, tokens: Tokens, provider: Provider): Promise<Claims>;
}
