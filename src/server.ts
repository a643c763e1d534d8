/**
 * With assembly.ts the one list of rooms: opens the store and the domain, listens, keeps what has to be done from time to
 * time, and lets go of it all again. It decides nothing itself.
 */
import type { RequestListener } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { assemble } from './assembly.ts';
import { takeBackup } from './cli/backup.ts';
import { serveControl } from './cli/control.ts';
import type { Settings } from './config/index.ts';
import {
  type Domain,
  lookAtKeys,
  markDataMade,
  noteIssuer,
  openDomain,
  openMasterKey,
  startCourier,
} from './domain/index.ts';
import { logoutHandler } from './engine/index.ts';
import {
  type Assets,
  accentColours,
  createMetrics,
  doorway,
  type Listening,
  listen,
  type Metrics,
  type Readiness,
  serveOps,
  WARMING_UP,
} from './http/index.ts';
import { type Clock, type Duration, hours, type Logger, minutes, Refusal, seconds } from './lib/index.ts';
import { mailHandler } from './mail/index.ts';
import { createOutbound } from './outbound/index.ts';
import { rehearse } from './rehearsal.ts';
import { type Store, StoreUnavailable } from './store/index.ts';
import { isBegun, type OpenedStore, openStoreAfterCommands } from './store/open.ts';

interface ServerOptions {
  readonly settings: Settings;
  readonly log: Logger;
  /** Named to whoever finds the data in use. */
  readonly pid: number;
  /** Begin anew where the data folder is missing though it once existed. */
  readonly init?: boolean;
  /** Be ready only when what is asked most is compiled: it is served from the start, but slower at first. */
  readonly warm?: boolean;
  /** Where connections come from; a port of its own, as the settings say, unless given. */
  readonly enter?: (handler: RequestListener) => Listening;
}

export interface Server {
  readonly url: string;
  readonly issuer: string;
  readonly opsPort: number | undefined;
  readonly domain: Domain;
  readonly store: Store;
  readonly metrics: Metrics;
  /** Whether it can serve. */
  ready(): Promise<Readiness>;
  /** What is asked most is compiled, or that was given up. */
  readonly warmed: Promise<void>;
  /** Answers what was asked, makes everything durable, lets go. At most `grace` (10 s) for requests under way. */
  close(grace?: Duration): Promise<void>;
}

/** @throws Refusal in words for the operator: settings, folders, keys or ports that cannot be used. */
export const startServer = (options: ServerOptions): Promise<Server> =>
  start(options).catch((error: unknown) => {
    if (!(error instanceof StoreUnavailable)) throw error;
    throw new Refusal('store_unavailable', `the store cannot be used: ${error.message}`, { cause: error });
  });

async function start(options: ServerOptions): Promise<Server> {
  const { settings: given, log, warm = false, enter } = options;
  // Let go of in the opposite order: at the end, or at once where the start fails.
  await using held = new AsyncDisposableStack();
  let stopping = false;
  // The port comes first: where it is 0, the issuer's port is known only now.
  const door = doorway();
  const listening = enter?.(door.handler) ?? (await listen({ ...given, handler: door.handler }));
  held.defer(() => listening.close({ grace: 0 }));
  const settings = { ...given, issuer: given.issuer.replace(/:0$/, `:${listening.port}`) };

  const { store, masterKey, metrics, domain } = await openKept({ ...options, settings }, held);
  const { now } = store;
  // One that has its port's number in it, whichever that is today, is nobody's address for long.
  const lookAtIssuer =
    settings.issuer === given.issuer ? await noteIssuer({ store, now, log, issuer: settings.issuer }) : undefined;
  follow(store, { domain, lookAtIssuer, log });
  const { answer, engine, logo } = assemble({ settings, log, now, metrics, store, masterKey, domain });

  // On PostgreSQL the command line goes to the database, like any other process.
  if (settings.database_url === undefined) {
    const backup = () => takeBackup({ store, masterKey, settings });
    const control = await serveControl({ folder: settings.data, domain, log, backup });
    held.defer(() => control.close());
  }
  let warming = warm;
  const ready = async (): Promise<Readiness> => {
    const { ok, checks } = await readiness(store);
    return warming ? { ok: false, checks: { ...checks, server: WARMING_UP } } : { ok, checks };
  };
  const ops = await serveOps({
    host: settings.ops_host,
    port: settings.ops_port,
    ready,
    draining: () => stopping,
    metrics,
    logger: log,
  });
  if (ops) held.defer(() => ops.close({ grace: 0 }));
  held.defer(tend(store, domain, log));
  const courier = courierOf({ settings, log, now, domain, logo });
  held.defer(() => courier.close());
  // What makes the server quicker later must not make its first answers slower.
  const begun = door.open(answer).then(async () => {
    if (stopping) return;
    // Somebody is going to look at them, and whoever comes first should not wait for it.
    if (ops || enter) void metrics.begin();
    if (warm) await rehearse({ settings, store, now, masterKey, engine });
  });
  const warmed = begun
    .catch((err: Error) => log.warn({ err }, 'warming up failed: the first requests take a little longer'))
    .finally(() => {
      warming = false;
    });

  const started = held.move();
  return {
    url: listening.url,
    issuer: settings.issuer,
    opsPort: ops?.port,
    domain,
    store,
    metrics,
    ready,
    warmed,
    async close(grace = seconds(10)) {
      stopping = true;
      if (settings.shutdown_delay > 0) await pause(settings.shutdown_delay);
      await listening.close({ grace });
      await started.disposeAsync();
    },
  };
}

/** The store, the key of what is sealed in it, the domain, and the metrics of both. */
async function openKept({ settings, log, pid, init = false }: ServerOptions, held: AsyncDisposableStack) {
  const place = { folder: settings.keys, override: settings.master_key };
  const { fresh, made } = lookAtKeys(place);
  let metrics: Metrics | undefined;
  const store = await openStoreAfterCommands({
    settings,
    log,
    pid,
    mustExist: !fresh && !init,
    onCommit: (took) => metrics?.observeCommit(took),
  });
  held.defer(() => store.close());
  const masterKey = openMasterKey({ ...place, made, mustExist: await isBegun(store) });
  metrics = createMetrics({ store });
  const domain = await openDomain({ store, now: store.now, settings, log, masterKey });
  held.defer(() => domain.close());
  markDataMade(settings.keys);
  return { store, masterKey, metrics, domain };
}

interface Posting extends Pick<ServerOptions, 'settings' | 'log'> {
  readonly domain: Domain;
  readonly now: Clock;
  readonly logo: Assets['logo'];
}

/** Sends mails and the news of a sign-out. */
function courierOf({ settings, log, now, domain, logo }: Posting) {
  const { name, accent } = settings.brand;
  const look = { name, colours: accentColours(accent), logo };
  return startCourier({
    deliveries: domain.deliveries,
    handlers: {
      request: domain.answerMailRequest,
      mail: mailHandler({ settings, look, log }),
      logout: logoutHandler({ domain, outbound: createOutbound(settings.outbound), issuer: settings.issuer, now }),
    },
    log,
  });
}

async function readiness(store: Store): Promise<Readiness> {
  try {
    const { writable, fault } = await store.stats();
    return { ok: writable, checks: { store: fault ?? 'ok' } };
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    return { ok: false, checks: { store: error.message } };
  }
}

interface Following {
  readonly domain: Domain;
  readonly lookAtIssuer: (() => Promise<void>) | undefined;
  readonly log: Logger;
}

/** What another process does to the keys and upstreams, and as which issuer it serves, is seen here at once. */
function follow(store: OpenedStore, { domain, lookAtIssuer, log }: Following): void {
  const again: Partial<Record<string, () => void>> = {
    signing_keys: oneAtATime(() => domain.keys.refresh()),
    server_secrets: oneAtATime(() => domain.cookieKeys.tick()),
    upstreams: oneAtATime(() => domain.upstreams.refresh()),
    ...(lookAtIssuer && { marks: oneAtATime(lookAtIssuer) }),
  };
  if (!store.onChange) return;
  store.onChange((table) => again[table]?.());
  // What changed since the domain read them, before anybody listened.
  for (const read of Object.values(again)) read?.();

  /** Runs it again where it was asked for meanwhile, so that the last reading is the newest. */
  function oneAtATime(work: () => Promise<void>): () => void {
    let asked = 0;
    return async () => {
      asked += 1;
      if (asked > 1) return;
      for (let done = 0; done < asked; ) {
        done = asked;
        await work().catch((err: Error) => log.error({ err }, 'reading what another process changed failed'));
      }
      asked = 0;
    };
  }
}

/** What has to be done from time to time. Gives back how to stop it. */
function tend(store: OpenedStore, domain: Domain, log: Logger): () => void {
  const every = (interval: Duration, what: string, work: () => Promise<unknown>) =>
    setInterval(() => work().catch((err: Error) => log.error({ err }, `${what} failed`)), interval).unref();
  const timers = [
    every(minutes(1), 'sweeping what has expired', () => store.sweep(store.now())),
    every(hours(1), 'tending the cookie keys', () => domain.cookieKeys.tick()),
  ];
  return () => timers.forEach(clearInterval);
}
