import type { Configuration, KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Settings } from '../config/index.ts';
import { ACR_VALUES, type Domain, type MasterKey, PROOF_ALGORITHMS, USER_CODE_MASK } from '../domain/index.ts';
import { cookieStyle } from '../http/index.ts';
import { type Clock, inSeconds } from '../lib/index.ts';
import { findAccount } from './accounts.ts';
import { artifactAdapter, seenAdapter } from './adapter.ts';
import { CLOCK_TOLERANCE } from './artifacts.ts';
import { assertionRules } from './assertions.ts';
import { clientAdapter, mayCallFrom, STRANGER } from './clients.ts';
import { isForDevice } from './device-grant.ts';
import { dpopNonces } from './dpop.ts';
import { existingGrant } from './grants.ts';
import { mayIntrospect, mayRevoke } from './introspection.ts';
import { lifetimesOf } from './lifetimes.ts';
import type { Policy } from './policy.ts';
import { refreshTtl } from './refresh.ts';
import { renderError } from './refused.ts';
import type { ResourceServers } from './resources.ts';
import { CLAIMS, STATIC_SCOPES } from './scopes.ts';
import { engineKeys } from './signing.ts';
import { claimsOf } from './tokens.ts';

export interface EngineOptions {
  readonly settings: Settings;
  readonly domain: Domain;
  readonly masterKey: MasterKey;
  readonly now: Clock;
  readonly uiLocales: readonly string[];
  /** What the engine shows people: the rooms above fill it. */
  readonly shows: Shows;
}

/** The few moments at which the engine itself needs a page. `ctx` is the request's Koa context. */
export interface Shows {
  /** Ask whether to sign out: `fields` go back hidden to `action`. */
  signOut(ctx: KoaContextWithOIDC, form: { action: string; fields: Record<string, string> }): Promise<void>;
  signedOut(ctx: KoaContextWithOIDC): Promise<void>;
}

const ROUTES = {
  authorization: '/authorize',
  token: '/token',
  userinfo: '/userinfo',
  jwks: '/.well-known/jwks.json',
  introspection: '/introspect',
  revocation: '/revoke',
  end_session: '/logout',
  pushed_authorization_request: '/par',
  device_authorization: '/device_authorization',
  // Its page is ours (interaction/device.ts): the engine only tells devices of it.
  code_verification: '/device',
};

/** With what is signed that clients read (jwt.ts), whatever other keys are published. Access tokens are for their API to choose. */
const SIGNING = ['RS256'] as const;

/** How a client says who it is, at every endpoint that asks. */
const CLIENT_AUTH = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const;

/** The engine configured: nothing is left at a default that is loose, and each looser-looking line says why. */
export function configuration(
  { settings, domain, masterKey, now, uiLocales, shows }: EngineOptions,
  servers: ResourceServers,
  policy: Policy,
): Configuration {
  const { tokens, sessions, issuer, registration } = settings;
  const lifetimes = lifetimesOf(settings);
  const { restoredAt } = domain;
  const refreshLives = refreshTtl(tokens.refresh_idle, tokens.refresh_absolute);
  const style = cookieStyle(issuer);
  const { path, ...cookie } = { ...style.options, signed: true };

  return {
    adapter: (name: string) =>
      name === 'Client'
        ? clientAdapter(domain)
        : name === 'ReplayDetection'
          ? seenAdapter(now)
          : artifactAdapter({
              name,
              key: masterKey.artifacts,
              now,
              endTokens: async (grantId) => void (await domain.sessions.endTokens(grantId)),
            }),
    findAccount: findAccount(domain),
    loadExistingGrant: existingGrant(domain),
    // Whatever a refresh under way issues is dead with its grant: so a revocation is one commit.
    revokeGrantPolicy: () => true,
    jwks: { keys: engineKeys(domain.keys.published()) },
    routes: ROUTES,
    scopes: [...STATIC_SCOPES],
    claims: CLAIMS,
    acrValues: [...ACR_VALUES],
    extraTokenClaims: claimsOf(domain),
    subjectTypes: ['public'],
    responseTypes: ['code'],
    pkce: { required: () => true },
    clientAuthMethods: [...CLIENT_AUTH],
    enabledJWA: {
      clientAuthSigningAlgValues: [...PROOF_ALGORITHMS],
      idTokenSigningAlgValues: [...SIGNING],
      requestObjectSigningAlgValues: [...SIGNING],
      userinfoSigningAlgValues: [...SIGNING],
      introspectionSigningAlgValues: [...SIGNING],
      dPoPSigningAlgValues: [...PROOF_ALGORITHMS],
    },
    assertJwtClientAuthClaimsAndHeader: assertionRules({ now, restoredAt }),
    extraClientMetadata: { properties: [STRANGER] },
    clientBasedCORS: (_ctx, origin, client) => mayCallFrom(origin, client),
    clientDefaults: { grant_types: [], response_types: [], id_token_signed_response_alg: 'RS256' },
    clockTolerance: inSeconds(CLOCK_TOLERANCE),
    // What a client may leave out, it can get wrong.
    allowOmittingSingleRegisteredRedirectUri: false,
    acceptQueryParamAccessTokens: false,
    // Every access token has an audience of its own, so scopes' claims may stand in the ID token as well.
    conformIdTokenClaims: false,
    cookies: {
      // engine.ts puts a signer of ours in their place.
      keys: [...domain.cookieKeys.current()],
      names: {
        session: style.name('session'),
        // Their paths are not /, which the __Host- prefix forbids.
        interaction: 'postern.interaction',
        resume: 'postern.resume',
      },
      long: { ...cookie, path },
      short: cookie,
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: true, ...dpopNonces({ key: masterKey.dpopNonce, now, restoredAt }) },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: mayIntrospect(domain) },
      revocation: {
        enabled: true,
        allowedPolicy: mayRevoke,
      },
      pushedAuthorizationRequests: { enabled: true },
      deviceFlow: { enabled: true, charset: 'base-20', mask: USER_CODE_MASK, deviceInfo: () => ({}) },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: servers.getResourceServerInfo,
        defaultResource: servers.defaultResource,
        useGrantedResource: async () => true,
      },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        postLogoutSuccessSource: (ctx) => shows.signedOut(ctx),
      },
      userinfo: { enabled: true },
      externalSigningSupport: { enabled: true, ack: 'experimental-01' },
    },
    discovery: {
      // Clients are made by the domain, whoever asks: the route is ours (registration/), and the engine only tells of it.
      ...(registration !== 'off' && { registration_endpoint: `${issuer}/register` }),
      ui_locales_supported: [...uiLocales],
      // Left out, they mean client_secret_basic alone (RFC 8414 §2).
      introspection_endpoint_auth_methods_supported: [...CLIENT_AUTH],
      introspection_endpoint_auth_signing_alg_values_supported: [...PROOF_ALGORITHMS],
      revocation_endpoint_auth_methods_supported: [...CLIENT_AUTH],
      revocation_endpoint_auth_signing_alg_values_supported: [...PROOF_ALGORITHMS],
    },
    // A sign-in's tokens end with its session unless the person allowed offline access (OIDC Core §11).
    // A device's end with none: its person signed in on a browser that may be anybody's.
    expiresWithSession: async ({ oidc: { provider } }, source) =>
      !source.scopes.has('offline_access') &&
      'sessionUid' in source &&
      !isForDevice(provider as Provider, (source as { redirectUri?: string }).redirectUri),
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: (ctx) => ctx.state['keepRefreshToken'] !== true,
    interactions: { policy, url: (_ctx, { uid }) => `/interaction/${uid}` },
    renderError,
    ttl: {
      AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? inSeconds(tokens.access),
      ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? inSeconds(tokens.access),
      AuthorizationCode: lifetimes.code,
      DeviceCode: lifetimes.device,
      IdToken: inSeconds(tokens.id),
      RefreshToken: (_ctx: unknown, token: { totalLifetime(): number }) => refreshLives(token.totalLifetime()),
      Grant: lifetimes.grant,
      // Whoever only came to the sign-out page leaves nothing behind for long.
      Session: (_ctx, { accountId }) => (accountId ? lifetimes.session : inSeconds(sessions.interaction)),
      Interaction: inSeconds(sessions.interaction),
    },
  };
}
