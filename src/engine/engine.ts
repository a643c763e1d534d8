import type { Context, Middleware } from 'koa';
import { Provider } from 'oidc-provider';
import type { Domain } from '../domain/index.ts';
import { type BrowserMark, createCsrf, createSigner, type Pace } from '../http/index.ts';
import type { Store } from '../store/index.ts';
import { artifacts, type OpenArtifact, type SealArtifact } from './artifacts.ts';
import { tellAcr } from './authentication.ts';
import { installBackchannelLogout } from './backchannel.ts';
import { compareSecrets, STRANGER } from './clients.ts';
import { configuration, type EngineOptions } from './configuration.ts';
import { installDeviceGrant } from './device-grant.ts';
import { createDevices, type Devices } from './devices.ts';
import { createInteractions, type Interactions } from './interactions.ts';
import { adjustSteps } from './internals.ts';
import { createKeptAnswers } from './kept-answers.ts';
import { createKeptRequests } from './kept-requests.ts';
import { type Lifetimes, lifetimesOf } from './lifetimes.ts';
import { carryOn } from './overtaken.ts';
import { createOwnBrowser } from './own-browser.ts';
import { createOwnSessions, type OwnSessions } from './own-sessions.ts';
import { createNotePlace, type NotePlace, notePlaces } from './places.ts';
import { interactionPolicy } from './policy.ts';
import type { Presented } from './presented.ts';
import { installRefresh } from './refresh.ts';
import { isForPrograms, isSentBack, noteRefusals, refuseOvertaken } from './refused.ts';
import { type ResourceServers, resourceServers } from './resources.ts';
import { type SessionCookie, sessionCookie } from './session-cookie.ts';
import { installSignOut } from './sign-out.ts';
import { followKeys } from './signing.ts';
import { issueRecordedJwts } from './tokens.ts';
import { createUnasked, type GrantedUnasked } from './unasked.ts';
import { oneCommit } from './unit.ts';

interface EngineParts {
  readonly store: Store;
  /** Adds the grant types that are ours. */
  readonly installGrants: (options: { readonly provider: Provider; readonly domain: Domain }) => void;
  /** Holds up strangers who make the server remember what they ask. */
  readonly pace: Pick<Pace, 'count'>;
  readonly mark: BrowserMark;
  /** Called after each successful token request. */
  readonly onTokens?: (grantType: string) => void;
}

export interface Engine {
  /** The Koa application: middleware given to `use` runs before the engine's own endpoints. */
  readonly app: Provider;
  readonly interactions: Interactions;
  /** What people type for devices. */
  readonly devices: Devices;
  /** Whose live access token for an API of this server itself is shown. @throws HttpRefusal 401 */
  readonly presented: (ctx: Context, audience: string) => Promise<Presented>;
  /** Which API a token is for and what it may do there. */
  readonly servers: ResourceServers;
  /** Opens what the engine stored. */
  readonly open: OpenArtifact;
  /** Makes the row of what is issued as the engine would store it. */
  readonly seal: SealArtifact;
  /** Who is signed in on a browser, for pages of our own. */
  readonly ownSessions: OwnSessions;
  /** Stands within {@link oneCommit}: notes where sessions are used from. */
  readonly notePlaces: Middleware;
  /** The parts of an authorization request that short/ does as the engine does them. */
  readonly signedIn: {
    readonly cookie: SessionCookie;
    readonly grantedUnasked: GrantedUnasked;
    readonly notePlace: NotePlace;
    readonly lifetimes: Lifetimes;
  };
  /** Stands within {@link oneCommit}: what another tab overtook goes on. */
  readonly carryOn: Middleware;
  /** Wraps everything that may reach the engine: one request, one commit. */
  readonly oneCommit: Middleware;
}

/** oidc-provider with our store, keys, tokens and grants. */
export function createEngine(options: EngineOptions & EngineParts): Engine {
  const { settings, domain, store, now, masterKey, pace, onTokens } = options;
  adjustSteps();
  const servers = resourceServers({ domain, settings });
  const policy = interactionPolicy(domain);
  const provider = new Provider(settings.issuer, configuration(options, servers, policy));

  // Koa would have Keygrip sign its cookies, of which each comparison costs two HMACs more.
  const signer = createSigner(domain.cookieKeys.current, 'engine-cookies');
  Object.assign(provider, { keys: signer });
  provider.Client.prototype.compareClientSecret = compareSecrets(domain);
  followKeys(provider, domain.keys);
  tellAcr(provider);
  installBackchannelLogout(provider, domain);
  issueRecordedJwts(provider, domain, now);
  const { open, seal } = artifacts(masterKey.artifacts, now);
  installRefresh({
    provider,
    domain,
    open,
    now,
    retryWindow: settings.tokens.refresh_retry,
    idLives: settings.tokens.id,
  });
  installDeviceGrant({ provider, open, now });
  options.installGrants({ provider, domain });
  noteRefusals(provider);
  installSignOut(provider, {
    keys: domain.keys,
    shows: options.shows,
    csrf: createCsrf({ issuer: settings.issuer, secrets: domain.cookieKeys.current }),
  });
  const https = settings.issuer.startsWith('https:');
  const kept = createKeptRequests({ key: masterKey.artifacts, https, now });
  kept.follow(provider);
  const answers = createKeptAnswers({ now });
  const browser = createOwnBrowser(options.mark);
  for (const event of ['pushed_authorization_request.success', 'device_authorization.success'] as const)
    provider.on(event as 'device_authorization.success', (ctx) => {
      const { client } = ctx.oidc;
      // Whoever can be anybody. What is thrown here is the answer (http/failures.ts), and nothing is kept.
      if (client?.clientAuthMethod === 'none' || client?.[STRANGER]) pace.count(ctx);
    });
  provider.on('grant.success', ({ oidc: { account, client, params } }) => {
    if (account && client) void domain.consents.used(account.accountId, client.clientId);
    onTokens?.(String(params?.['grant_type']));
  });

  const notePlace = createNotePlace(domain, now);

  return {
    app: provider,
    interactions: createInteractions({ provider, domain, servers, kept, answers, browser, pace, now }),
    devices: createDevices({ provider, domain, key: masterKey.artifacts, open, seal, now }),
    // Most servers have no API of their own that anybody uses.
    presented: async (ctx, audience) => (await import('./presented.ts')).presented({ provider, store, audience }, ctx),
    servers,
    open,
    seal,
    ownSessions: createOwnSessions({ provider, domain, issuer: settings.issuer, now }),
    notePlaces: notePlaces(notePlace),
    signedIn: {
      cookie: sessionCookie({ issuer: settings.issuer, signer }),
      grantedUnasked: createUnasked(provider, policy),
      notePlace,
      lifetimes: lifetimesOf(settings),
    },
    carryOn: carryOn(provider, answers, browser),
    oneCommit: oneCommit(store, {
      isError: isSentBack,
      isForPeople: (ctx) => !isForPrograms(ctx),
      refuse: refuseOvertaken,
    }),
  };
}
