/** One server of three processes on one port (`POSTERN_WORKERS=3`), as a user starts it: nobody can tell it from one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { createRemoteJWKSet, customFetch, decodeProtectedHeader, jwtVerify } from 'jose';
import { milliseconds } from '../../src/lib/index.ts';
import { printed } from '../cli/command-line.ts';
import { freePort } from '../support/free-port.ts';
import { hammer, once, type Reply } from '../support/hammer.ts';
import { PASSWORD } from '../support/postern.ts';
import { type Database, type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';

const WORKERS = 3;
const folder = mkdtempSync(join(tmpdir(), 'postern-workers-'));
const config = join(folder, 'postern.yaml');
let databases: DatabaseServer;
let database: Database;
let server: ServerProcess;
let ops: string;
let issuer: string;

interface Client {
  readonly id: string;
  readonly secret: string;
}
let machine: Client;
let app: Client;

const environment = () => ({
  POSTERN_DATABASE_URL: database.url,
  POSTERN_ISSUER: issuer,
  POSTERN_SIGNING_JWKS_MAX_AGE: '1s',
});

async function start(): Promise<ServerProcess> {
  return startProcess({
    folder,
    env: {
      ...environment(),
      POSTERN_CONFIG: config,
      POSTERN_PORT: new URL(issuer).port,
      POSTERN_WORKERS: String(WORKERS),
      POSTERN_OPS_PORT: new URL(ops).port,
    },
  });
}

/** The command line on the database, while the server runs. */
const run = (...args: string[]) => printed(folder, args, environment());

const service = async (name: string): Promise<Client> => {
  const added = await run('client', 'add', name, '--type', 'service');
  return { id: added.client_id, secret: added.client_secret };
};

const token = ({ id, secret }: Client, form: Record<string, string> = { grant_type: 'client_credentials' }) => ({
  path: '/token',
  headers: {
    authorization: `Basic ${btoa(`${id}:${secret}`)}`,
    'content-type': 'application/x-www-form-urlencoded',
  },
  body: new URLSearchParams(form).toString(),
});

const password = (email: string, guess: string) =>
  token(app, { grant_type: 'password', username: email, password: guess, scope: 'openid' });

/** Log lines with this message. */
const said = (message: string) => server.entries.filter(({ msg }) => msg === message);

const statuses = (replies: readonly Reply[]) => [...new Set(replies.map(({ status }) => status))];

async function until(fact: () => unknown | Promise<unknown>, what: string, within = 60_000): Promise<void> {
  for (const end = performance.now() + within; !(await fact()); await pause(20))
    if (performance.now() > end) throw new Error(`never: ${what}`);
}

/** The pids of the workers that serve, by what the log says. */
const pids = (): number[] => {
  const ended = new Set(said('a worker died').map(({ pid }) => pid));
  return said('a worker serves')
    .slice(-WORKERS)
    .map(({ pid }) => pid as number)
    .filter((pid) => !ended.has(pid));
};

async function metric(name: string): Promise<number> {
  const { text } = await once(ops, { path: '/metrics' });
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

/** Fetches tokens, a few at a time, and checks each as an API would, by the JWKS as it is published. */
function checkTokens() {
  const jwks = new URL('/.well-known/jwks.json', issuer);
  // A connection that is closed as it is asked again is no answer: whoever fetches asks once more (RFC 9112 §9.3.1).
  const patient = (url: string, init: RequestInit) => fetch(url, init).catch(() => fetch(url, init));
  // As often as the server says it may be cached, and at once where a key is not known.
  const keys = createRemoteJWKSet(jwks, { cooldownDuration: 1000, cacheMaxAge: 1000, [customFetch]: patient });
  const kids: (string | undefined)[] = [];
  const failed: string[] = [];
  let stopped = false;
  async function check(): Promise<void> {
    const { access_token } = JSON.parse((await once(issuer, token(machine))).text);
    kids.push(decodeProtectedHeader(access_token).kid);
    await jwtVerify(access_token, keys, { issuer, typ: 'at+jwt' });
  }
  const working = Promise.all(
    Array.from({ length: 3 }, async () => {
      for (; !stopped; await pause(150)) await check().catch((error) => failed.push(String(error)));
    }),
  );
  return {
    kids,
    failed,
    stop: async () => {
      stopped = true;
      await working;
    },
  };
}

let checked: ReturnType<typeof checkTokens>;
let rotated: string;

test.before(async () => {
  databases = await startDatabaseServer();
  database = await databases.create();
  issuer = `http://localhost:${await freePort()}`;
  ops = `http://127.0.0.1:${await freePort()}`;
  writeFileSync(config, 'log_level: info\n');
  server = await start();
  machine = await service('Reports');
  await run('user', 'add', 'ada@example.com', '--password-stdin');
  const added = await run('client', 'add', 'Old App', '--type', 'web', '--grant', 'password');
  app = { id: added.client_id, secret: added.client_secret };
});

test.after.always(async () => {
  server?.child.kill('SIGKILL');
  await databases?.remove();
  rmSync(folder, { recursive: true, force: true });
});

test.serial('the first line says where all of them listen, and every line is JSON', async (t) => {
  const first = JSON.parse(server.lines[0]!);
  t.like(first, { msg: 'listening', issuer, workers: WORKERS });
  t.is(new URL(first.url).port, new URL(issuer).port);
  t.deepEqual(
    said('a worker serves')
      .map(({ worker }) => worker)
      .toSorted(),
    [1, 2, 3],
  );
  t.is((await once(ops, { path: '/healthz' })).status, 200);
  const ready = await once(ops, { path: '/readyz' });
  t.deepEqual(JSON.parse(ready.text), { ok: true, checks: { store: 'ok', workers: '3 of 3' } });
});

test.serial('connections go to each of them alike, a line of the log says to which', async (t) => {
  await Promise.all(Array.from({ length: 30 }, () => once(issuer, { path: '/.well-known/jwks.json' })));
  await until(() => said('request').filter(({ path }) => path === '/.well-known/jwks.json').length >= 30, 'logged');
  const counts = [1, 2, 3].map(
    (id) => said('request').filter(({ path, worker }) => path === '/.well-known/jwks.json' && worker === id).length,
  );
  t.log(counts);
  t.true(Math.min(...counts) >= 5);
});

test.serial('a client added by the command line is known to all of them at once', async (t) => {
  const added = await service('Added while they run');
  const replies = await Promise.all(Array.from({ length: 12 }, () => once(issuer, token(added))));
  t.deepEqual(statuses(replies), [200]);
  const lines = () => said('request').filter((line) => line['client_id'] === added.id);
  await until(() => lines().length === 12, 'logged');
  t.is(new Set(lines().map(({ worker }) => worker)).size, 3);
});

test.serial('wrong passwords are counted over all of them', async (t) => {
  const replies = await Promise.all(Array.from({ length: 30 }, () => once(issuer, password('eve@example.com', 'no'))));
  const tried = replies.filter(({ status }) => status === 400).length;
  t.is(tried, 10);
  t.is(replies.filter(({ status }) => status === 429).length, 20);
});

test.serial('metrics are those of all of them together', async (t) => {
  const before = await metric('postern_tokens_issued_total\\{grant="client_credentials"\\}');
  await Promise.all(Array.from({ length: 20 }, () => once(issuer, token(machine))));
  t.is(await metric('postern_tokens_issued_total\\{grant="client_credentials"\\}'), before + 20);
  t.is(await metric('postern_workers_serving'), 3);
  t.is(await metric('postern_store_writable'), 1);
});

test.serial('a rotated key is soon published by all of them, and signs nothing yet', async (t) => {
  checked = checkTokens();
  await until(() => checked.kids.length > 10, 'tokens');
  const [old] = checked.kids;
  rotated = ((await run('keys', 'rotate')) as { kid: string }).kid;
  const published = async () => JSON.parse((await once(issuer, { path: '/.well-known/jwks.json' })).text).keys;
  // News of it takes a moment to a process that is busy; connections go round all of them.
  const everywhere = async () =>
    (await Promise.all(Array.from({ length: 6 }, published))).every(({ length }) => length === 2);
  await until(everywhere, 'published by all', 10_000);
  t.deepEqual([...new Set(checked.kids)], [old]);
});

const shows = async () => (await once(issuer, { path: '/nowhere', headers: { accept: 'text/html' } })).text;

test.serial('SIGHUP with settings that are wrong changes nothing but the log', async (t) => {
  const before = pids();
  writeFileSync(config, 'brand:\n  nme: Lighthouse\n');
  server.child.kill('SIGHUP');
  await until(() => said('a new worker did not get up: the others go on as they are').length === 1, 'refused');
  const [line] = said('a new worker did not get up: the others go on as they are');
  t.regex(String(line?.['err']), /brand\.nme .*is no setting; did you mean brand\.name\?/);
  t.deepEqual(pids(), before);
  t.regex(await shows(), /Postern/);
});

test.serial('SIGHUP under load replaces all of them, with better settings, and no request fails', async (t) => {
  const before = pids();
  writeFileSync(config, 'brand:\n  name: Lighthouse\n');
  const counted = await metric('postern_tokens_issued_total\\{grant="client_credentials"\\}');
  const load = hammer(issuer, token(machine), 16, { rest: milliseconds(100) });
  await until(() => load.replies.length > 100, 'load');
  server.child.kill('SIGHUP');
  await until(() => said('every worker has been replaced').length === 1, 'replaced');
  await load.stop();
  t.log(`${load.replies.length} answered, ${load.lost.length} lost`);
  t.deepEqual(load.lost, []);
  t.is(load.refused, 0);
  t.deepEqual(statuses(load.replies), [200]);
  t.is(pids().filter((pid) => before.includes(pid)).length, 0);
  const now = await metric('postern_tokens_issued_total\\{grant="client_credentials"\\}');
  t.true(now >= counted + load.replies.length, 'what the old ones counted stays counted');
  t.is(await metric('postern_worker_deaths_total'), 0);
  t.regex(await shows(), /Lighthouse/);
});

test.serial('when the rotated key signs, it does so in all of them, and no token ever failed its check', async (t) => {
  await until(() => checked.kids.at(-1) === rotated, 'the new key signs', 90_000);
  const from = checked.kids.length;
  await until(() => checked.kids.length > from + 40, 'more tokens');
  await checked.stop();
  t.log(`${checked.kids.length} tokens, ${checked.failed.length} failed their check`);
  t.deepEqual(checked.failed, []);
  t.deepEqual([...new Set(checked.kids.slice(from + 20))], [rotated]);
});

test.serial('one of them killed under load loses only what it was answering, and a new one comes', async (t) => {
  const [victim] = pids();
  const load = hammer(issuer, token(machine), 12, { rest: milliseconds(50) });
  await until(() => load.replies.length > 50, 'load');
  process.kill(victim!, 'SIGKILL');
  await until(() => said('a worker died').length === 1, 'noticed');
  const serving = said('a worker serves').length;
  await until(() => said('a worker serves').length > serving, 'another');
  await load.stop();
  t.log(`${load.replies.length} answered, ${load.lost.length} lost`);
  t.true(load.lost.length <= 12);
  t.is(load.refused, 0);
  t.deepEqual(statuses(load.replies), [200]);
  t.is(await metric('postern_workers_serving'), 3);
  t.is(await metric('postern_worker_deaths_total'), 1);
  await until(() => pids().length === WORKERS, 'told of');
  await until(async () => (await once(ops, { path: '/readyz' })).text.includes('3 of 3'), 'all answer in time');
});

test.serial('all of them killed: connections wait for the next ones', async (t) => {
  for (const pid of pids()) process.kill(pid, 'SIGKILL');
  await until(() => said('a worker died').length === 4, 'noticed');
  t.is((await once(issuer, token(machine))).status, 200);
  await until(async () => (await metric('postern_workers_serving')) === 3, 'three again');
  await until(() => pids().length === WORKERS, 'told of');
});

test.serial('one of them hanging: /readyz says so before a balancer loses patience with all of them', async (t) => {
  const [hung] = pids();
  process.kill(hung!, 'SIGSTOP');
  const began = performance.now();
  const answer = await once(ops, { path: '/readyz' });
  process.kill(hung!, 'SIGCONT');
  t.is(answer.status, 200);
  t.deepEqual(JSON.parse(answer.text), { ok: true, checks: { store: 'ok', workers: '2 of 3' } });
  const took = Math.round(performance.now() - began);
  t.log(`after ${took} ms`);
  t.true(took < 3000);
});

test.serial('all of them hanging: /readyz says so, and is well when they go on', async (t) => {
  for (const pid of pids()) process.kill(pid, 'SIGSTOP');
  const hanging = await once(ops, { path: '/readyz' });
  t.is(hanging.status, 503);
  t.deepEqual(JSON.parse(hanging.text), { ok: false, checks: { store: 'nobody can say', workers: '0 of 3' } });
  for (const pid of pids()) process.kill(pid, 'SIGCONT');
  await until(async () => (await once(ops, { path: '/readyz' })).status === 200, 'well again');
  t.is((await once(issuer, token(machine))).status, 200);
});

test.serial('the primary killed: its workers answer what they were asked and end, and the port is free', async (t) => {
  const workers = pids();
  // A connection that one of them has already.
  const agent = new Agent({ keepAlive: true });
  t.is((await once(issuer, token(machine), agent)).status, 200);
  const asked = once(issuer, password('ada@example.com', PASSWORD), agent);
  await pause(30);
  await server.kill();
  t.is((await asked).status, 200);
  agent.destroy();
  const alive = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  await until(() => !workers.some(alive), 'they end');
  server = await start();
  t.is((await once(issuer, token(machine))).status, 200);
});

test.serial('SIGTERM under load drops no request, passwords under way included, and exits 0', async (t) => {
  // A connection that the kernel makes in the moment the port closes is reset: that is what `shutdown_delay` is for.
  const load = hammer(issuer, token(machine), 16, { kept: true });
  const signIns = hammer(issuer, password('ada@example.com', PASSWORD), 4, { kept: true });
  await until(() => load.replies.length > 100 && signIns.replies.length > 4, 'load');
  t.is(await server.terminate(), 0);
  await Promise.all([load.stop(), signIns.stop()]);
  t.log(`${load.replies.length + signIns.replies.length} answered`);
  t.deepEqual([...load.lost, ...signIns.lost], []);
  t.deepEqual(statuses([...load.replies, ...signIns.replies]), [200]);
});
