/**
 * Has V8 compile what machines ask for all day before anybody asks: everything a token request meets on its way, put
 * together as server.ts and assembly.ts put it together for the real ones, but for an application and keys of the moment.
 */
import { fronts } from './assembly.ts';
import type { Settings } from './config/index.ts';
import { type MasterKey, openDomain } from './domain/index.ts';
import { type Engine, resourceServers } from './engine/index.ts';
import { accessLog, createLogger, createMetrics, createPace, inFront, standardOutput, tellAll } from './http/index.ts';
import { type Clock, type Duration, silent } from './lib/index.ts';
import { warmUp } from './short/index.ts';
import { aside, type Store } from './store/index.ts';

interface Options {
  readonly settings: Settings;
  readonly store: Store;
  readonly now: Clock;
  readonly masterKey: MasterKey;
  readonly engine: Engine;
  readonly requests?: number;
  /** It is given up then: a slow machine must not wait for speed. */
  readonly within?: Duration;
}

/** As many combinations as there are requests: what is asked for the first time goes another way than what was asked before. */
const SCOPES = Array.from({ length: 12 }, (_, number) => `rehearse.${number}`);

/**
 * Nothing of it stays: its rows are put aside, and what it issues is signed with a key that is thrown away.
 * @returns how many requests were granted
 */
export async function rehearse({ store, engine, requests, within, ...given }: Options): Promise<number> {
  const { settings, now } = given;
  const own = aside(store, now);
  const domain = await openDomain({ ...given, store: own, log: silent });
  try {
    const uri = 'https://rehearsal.invalid/';
    await domain.resources.add({ uri, scopes: SCOPES });
    const { client, secret } = await domain.clients.add({ name: 'Rehearsal', type: 'service', resources: [uri] });
    const log = createLogger({ level: 'info', destination: standardOutput({ write: ({ length }) => length }) });
    const metrics = createMetrics({ store: own });
    const { front } = fronts({
      ...{ settings, now, domain, store: own },
      engine: { ...engine, servers: resourceServers({ domain, settings }) },
      tell: tellAll(accessLog(log), metrics.answered),
      pace: createPace({ now }),
      onTokens: metrics.tokenIssued,
    });
    return await warmUp({
      handler: inFront(front, (_req, res) => void res.writeHead(500).end()),
      authorization: `Basic ${Buffer.from(`${client.id}:${secret}`).toString('base64')}`,
      scopes: SCOPES,
      ...(requests !== undefined && { requests }),
      ...(within !== undefined && { within }),
    });
  } finally {
    await domain.close();
  }
}
