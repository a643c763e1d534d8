/**
 * A request's way, from top to bottom: what stands in front, the middlewares in their order, the pages, the engine. It
 * decides nothing itself.
 */
import type { RequestListener } from 'node:http';
import Koa, { type Middleware } from 'koa';
import { accountRoutes } from './account/index.ts';
import type { Settings } from './config/index.ts';
import type { Domain } from './domain/index.ts';
import { type Engine, tellRefusals } from './engine/index.ts';
import { createOwnFactors, createPasskeys } from './factors/index.ts';
import {
  accessLog,
  clientAddress,
  createBrowserMark,
  createCsrf,
  createDevice,
  createDocuments,
  createFrontDesk,
  createKnownPeople,
  endpointsOf,
  failures,
  inFront,
  jsonBodies,
  limits,
  type Metrics,
  nameEndpoint,
  notFound,
  type Pace,
  type Pages,
  patiently,
  pinHost,
  securityHeaders,
  silenceKoa,
  type Tell,
  tellAll,
  tellAnswered,
} from './http/index.ts';
import { createUpstreamLinks, interactionRoutes } from './interaction/index.ts';
import type { Clock, Logger } from './lib/index.ts';
import { createOutbound } from './outbound/index.ts';
import { registrationRoutes } from './registration/index.ts';
import { shortWays } from './short/index.ts';
import type { Store } from './store/index.ts';
import { createUpstreamClient } from './upstream/index.ts';

/** What a request meets on its way. */
export interface Parts {
  readonly settings: Settings;
  readonly log: Logger;
  readonly now: Clock;
  readonly metrics: Metrics;
  readonly store: Store;
  readonly domain: Domain;
  readonly engine: Engine;
  readonly pace: Pace;
  readonly pages: Pages;
  readonly assets: Middleware;
}

/** A request's way, from top to bottom; http/index.ts says why in this order. */
export function assemble({
  settings,
  log,
  now,
  metrics,
  store,
  domain,
  engine,
  pace,
  pages,
  assets,
}: Parts): RequestListener {
  const { issuer } = settings;
  const { app } = engine;
  const brand = settings.brand.name;
  const { factors, challenges } = domain;
  const passkeys = createPasskeys({ factors, challenges, issuer, brand });
  const ownFactors = createOwnFactors({ domain, passkeys, now: Date.now, brand });
  const csrf = createCsrf({ issuer, secrets: domain.cookieKeys.current });
  const device = createDevice({ issuer });
  const mark = createBrowserMark({ issuer });
  const upstreamClient = createUpstreamClient({ outbound: createOutbound(settings.outbound), now });
  const tell = tellAll(accessLog(log), metrics.answered);
  const onTokens = metrics.tokenIssued;
  const { front, documents } = fronts({ settings, now, store, domain, engine, tell, pace, onTokens });
  const { interactions, ownSessions } = engine;
  /** What both rooms of pages are given. */
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
    assets,
    registrationRoutes({ issuer, registrations: domain.registrations, clients: domain.clients }),
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
  return inFront(front, (req, res) => patiently(res, () => whole(req, res)));
}

interface FrontParts extends Pick<Parts, 'settings' | 'now' | 'store' | 'domain' | 'engine' | 'pace'> {
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
