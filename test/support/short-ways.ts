import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { readSettings } from '../../src/config/index.ts';
import { openMasterKey } from '../../src/domain/index.ts';
import { createEngine, type Shows } from '../../src/engine/index.ts';
import {
  createBrowserMark,
  createFrontDesk,
  type FrontDesk,
  failedInFront,
  inFront,
  type Pace,
} from '../../src/http/index.ts';
import { shortWays } from '../../src/short/index.ts';
import { answering } from './answering.ts';
import type { Postern } from './postern.ts';

/** Of the body that a request was left with. */
export const digest = (body: string | Buffer): string => createHash('sha256').update(body).digest('hex');

/**
 * The short ways of a server alone, on a port of their own: 418 and the body's {@link digest} is what goes on from them, 503
 * what failed there.
 */
export async function shortWaysOf(
  t: ExecutionContext,
  { domain, issuer, store, folder }: Postern,
  pace: Pick<Pace, 'begin'> = { begin: () => undefined },
  more: Partial<FrontDesk> = {},
) {
  const heard = { told: 0, issued: 0 };
  const settings = { ...readSettings({}), issuer };
  const engine = createEngine({
    settings,
    domain,
    store,
    masterKey: openMasterKey({ folder: join(folder, 'keys') }),
    now: Date.now,
    uiLocales: [],
    shows: {} as Shows,
    installGrants() {},
    pace: { count() {} },
    mark: createBrowserMark({ issuer }),
  });
  const short = shortWays({
    domain,
    engine,
    store,
    now: Date.now,
    issuer,
    lifetimes: settings.tokens,
    desk: { ...createFrontDesk({ issuer, trustedProxies: [], tell: () => void heard.told++ }), ...more },
    pace,
    onTokens: () => void heard.issued++,
  });
  const server = createServer(
    inFront(
      short,
      answering(async (req, res) => {
        try {
          failedInFront(req);
        } catch {
          return res.writeHead(503).end();
        }
        const pieces: Buffer[] = [];
        for await (const piece of req.iterator({ destroyOnReturn: false })) pieces.push(piece as Buffer);
        res.writeHead(418).end(digest(Buffer.concat(pieces)));
      }),
    ),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard };
}
