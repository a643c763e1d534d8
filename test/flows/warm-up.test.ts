import { mkdtempSync, rmSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { readSettings } from '../../src/config/index.ts';
import { openMasterKey } from '../../src/domain/index.ts';
import { createEngine, type Shows } from '../../src/engine/index.ts';
import { createBrowserMark, createPace } from '../../src/http/index.ts';
import { minutes, seconds, silent } from '../../src/lib/index.ts';
import { rehearse } from '../../src/rehearsal.ts';
import { startServer } from '../../src/server.ts';
import { warmUp } from '../../src/short/index.ts';

import { startPostern } from '../support/postern.ts';
import { until } from '../support/until.ts';

/** What a server rehearses with, without the rehearsal. */
async function parts(t: ExecutionContext) {
  const { folder, domain, store, issuer, stop } = await startPostern();
  t.teardown(async () => {
    await stop();
    rmSync(folder, { recursive: true });
  });
  const shared = {
    settings: { ...readSettings({}), issuer },
    store,
    now: Date.now,
    masterKey: openMasterKey({ folder: join(folder, 'keys') }),
  };
  const [pace, shows] = [createPace({ now: Date.now }), {} as Shows];
  const mark = createBrowserMark({ issuer });
  const engine = createEngine({ ...shared, domain, uiLocales: [], shows, installGrants() {}, pace, mark });
  return { ...shared, engine };
}

test('the rehearsal asks for tokens by the short way, and each is granted', async (t) => {
  const given = await parts(t);
  const { rows } = await given.store.stats();
  t.is(await rehearse({ ...given, requests: 80, within: seconds(60) }), 90);
  t.deepEqual((await given.store.stats()).rows, rows);
});

test('a rehearsal that takes too long is given up', async (t) => {
  const granted = await rehearse({ ...(await parts(t)), requests: 1e9, within: 50 });
  t.true(granted < 1e6);
});

test('a rehearsal that is refused ends at once', async (t) => {
  const handler: RequestListener = (_req, res) => void res.writeHead(503).end();
  t.is(await warmUp({ handler, authorization: 'Basic eDp5', scopes: ['x'], within: minutes(1) }), 0);
});

/** What was under way each time all garbage was collected. */
async function collected(requests: number, within: number): Promise<number[]> {
  const [underWay, seen] = [new Set<object>(), [] as number[]];
  const handler: RequestListener = async (req, res) => {
    underWay.add(req);
    await pause(2);
    res.end('{"token_type":"Bearer"}', () => underWay.delete(req));
  };
  const collect = () => void seen.push(underWay.size);
  await warmUp({ handler, authorization: 'Basic eDp5', scopes: ['x'], requests, within, collect });
  return seen;
}

test('garbage is collected once, while requests are under way', async (t) => {
  const [underWay = 0, ...more] = await collected(64, seconds(60));
  t.true(underWay > 0);
  t.deepEqual(more, []);
});

test('a rehearsal that is given up collects its garbage too', async (t) => {
  t.is((await collected(1e9, 50)).length, 1);
});

test('a server is ready when it has warmed up, serves from the start, and keeps nothing of it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-'));
  const settings = readSettings({
    POSTERN_PORT: '0',
    POSTERN_OPS_PORT: '0',
    POSTERN_DATA: join(folder, 'data'),
    POSTERN_KEYS: join(folder, 'keys'),
  });
  const server = await startServer({ settings, log: silent, pid: process.pid, warm: true });
  t.teardown(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });
  const { rows } = await server.store.stats();
  t.like(await server.ready(), { ok: false, checks: { server: 'warming up' } });
  t.is((await fetch(`${server.url}/.well-known/openid-configuration`)).status, 200);
  await until(async () => (await server.ready()).ok);
  t.deepEqual((await server.store.stats()).rows, rows);
  t.notRegex((await server.metrics.render()).text, /postern_tokens_issued_total\{/);
});
