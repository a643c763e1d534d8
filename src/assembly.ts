/**
 * Makes what a request meets and puts it on its way, from top to bottom: what stands in front, the middlewares in their
 * order, the pages, the engine. It decides nothing itself.
 */
import type { RequestListener } from 'node:http';
import Koa from 'koa';
import { accountRoutes } from './account/index.ts';
import { adminApi, adminRoutes } from './admin/index.ts';
import type { Settings } from './config/index.ts';
import type { Domain, MasterKey } from './domain/index.ts';
import { createEngine, type Engine, tellRefusals } from './engine/index.ts';
import { createOwnFactors, createPasskeys } from './factors/index.ts';
import { installGrants } from './grants/index.ts';
import {
  accessLog,
  clientAddress,
  createAssets,
  createBrowserMark,
  createCsrf,
  createDevice,
  createDocuments,
  createFrontDesk,
  createKnownPeople,
  createPace,
  createPages,
  endpointsOf,
  failures,
  inFront,
  jsonBodies,
  limits,
  type Metrics,
  nameEndpoint,
  notFound,
  type Pace,
  patiently,
  pinHost,
  securityHeaders,
  silenceKoa,
  type Tell,
  tellAll,
  tellAnswered,
} from './http/index.ts';
import { createUpstreamLinks, interactionRoutes, signOutPages } from './interaction/index.ts';
import { type Clock, deriveKey, type Logger } from './lib/index.ts';
import { createOutbound } from './outbound/index.ts';
import { registrationRoutes } from './registration/index.ts';
import { shortWays } from './short/index.ts';
import type { Store } from './store/index.ts';
import { createUpstreamClient } from './upstream/index.ts';
import { supportedLocales } from './words/index.ts';

/** What there is before the first request. */
interface Parts {
  readonly settings: Settings;
  readonly log: Logger;
  readonly now: Clock;
  readonly metrics: Metrics;
  readonly store: Store;
  readonly masterKey: MasterKey;
  readonly domain: Domain;
}

/** A request's way, from top to bottom; http/index.ts says why in this order. */
export function assemble({ settings, log, now, metrics, store, masterKey, domain }: Parts) {
  const { issuer } = settings;
  const brand = settings.brand.name;
  const assets = createAssets({ brand: settings.brand });
  const pages = createPages({ brand: settings.brand, assets });
  const pace = createPace({ now, processes: settings.workers });
  const mark = createBrowserMark({ issuer });
  const engine = createEngine({
    settings,
    domain,
    store,
    masterKey,
    now,
    uiLocales: supportedLocales,
    shows: signOutPages({ domain, pages }),
    installGrants,
    onTokens: metrics.tokenIssued,
    pace,
    mark,
  });
  const { app } = engine;
  const { factors, challenges } = domain;
  const passkeys = createPasskeys({ factors, challenges, issuer, brand });
  const ownFactors = createOwnFactors({ domain, passkeys, now: Date.now, brand });
  const csrf = createCsrf({ issuer, secrets: domain.cookieKeys.current });
  const device = createDevice({ issuer });
  const upstreamClient = createUpstreamClient({ outbound: createOutbound(settings.outbound), now });
  const tell = tellAll(accessLog(log), metrics.answered);
  const onTokens = metrics.tokenIssued;
  const { front, documents } = fronts({ settings, now, store, domain, engine, tell, pace, onTokens });
  const { interactions, ownSessions } = engine;
  /** What every room of pages is given. */
  const room = { settings, domain, interactions, ownSessions, ownFactors, passkeys, pages, csrf, device, now };
  silenceKoa(app, log);
  for (const middleware of [
    jsonBodies(app),
    pinHost(issuer),
    clientAddress(settings.trusted_proxies),
    nameEndpoint(endpointsOf(settings)),
    securityHeaders(issuer),
    tellAnswered(tell),
    failures({
      pages,
      logger: log,
      report: (ctx, { error, sentence, rule, asked }) =>
        domain.refusals.record({ error, sentence, rule, asked: { method: ctx.method, path: ctx.path, ...asked } }),
    }),
    limits(),
    pace.paced,
    documents.cacheable,
    assets.middleware,
    registrationRoutes({ issuer, registrations: domain.registrations, clients: domain.clients }),
    adminApi({ issuer, domain, presented: engine.presented }),
    tellRefusals({
      domain,
      showError: (ctx, { reason, id, status }) => pages.show(ctx, 'error', { reason, id }, status),
    }),
    engine.oneCommit,
    engine.carryOn,
    engine.notePlaces,
    accountRoutes({
      ...room,
      upstreamLinks: createUpstreamLinks({ domain, upstreamClient, mark, metrics, log }),
    }),
    adminRoutes({ ...room, searchKey: deriveKey(masterKey.artifacts, 'operators-searches') }),
    interactionRoutes({
      ...room,
      devices: engine.devices,
      issuer,
      upstreamClient,
      mark,
      people: createKnownPeople({ issuer, secrets: domain.cookieKeys.current }),
      metrics,
      log,
    }),
  ]) {
    app.use(middleware);
  }
  // After the engine's own endpoints, before which Provider.use would put it.
  Koa.prototype.use.call(app, notFound({ pages }));
  const whole = app.callback();
  const answer: RequestListener = inFront(front, (req, res) => patiently(res, () => whole(req, res)));
  return { answer, engine, logo: assets.logo };
}

interface FrontParts extends Pick<Parts, 'settings' | 'now' | 'store' | 'domain'> {
  readonly engine: Engine;
  readonly pace: Pace;
  /** Hears of every answer that is given here. */
  readonly tell: Tell;
  /** Called for each token that was issued here, with the grant type. */
  readonly onTokens: (grantType: string) => void;
}

/** What stands in front of everything. */
export function fronts({ settings, tell, ...parts }: FrontParts) {
  const { issuer, tokens: lifetimes } = settings;
  const desk = createFrontDesk({ issuer, trustedProxies: settings.trusted_proxies, tell });
  const documents = createDocuments({ maxAge: settings.signing.jwks_max_age, desk });
  parts.domain.keys.onChange(documents.forget);
  return { documents, front: [documents.front, ...shortWays({ ...parts, issuer, lifetimes, desk })] };
}
