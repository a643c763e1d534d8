import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { readSettings } from '../../src/config/index.ts';
import type { Answered } from '../../src/http/index.ts';
import { seconds, silent } from '../../src/lib/index.ts';
import { startServer } from '../../src/server.ts';
import { warmUp } from '../../src/short/index.ts';
import { until } from '../support/until.ts';

test('the rehearsal asks for tokens by the short way, and each is granted', async (t) => {
  const told: Answered[] = [];
  const options = { issuer: 'https://id.example.com', tell: (answered: Answered) => void told.push(answered) };
  t.is(await warmUp({ ...options, requests: 100, within: seconds(60) }), 125);
  await until(() => told.length === 125);
  t.true(told.every(({ status, endpoint, aborted }) => status === 200 && endpoint?.path === '/token' && !aborted));
});

test('a rehearsal that takes too long is given up', async (t) => {
  const answered = await warmUp({ issuer: 'https://id.example.com', tell: () => {}, requests: 1e9, within: 50 });
  t.true(answered < 1e6);
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
