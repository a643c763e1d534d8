/**
 * The profile `cluster` of docker-compose.yml without containers: its settings, two servers and PostgreSQL on loopback, and in
 * front of them a balancer by the rules of its HAProxy, which itself is not run here.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { parse } from 'yaml';
import { readSettings } from '../../src/config/index.ts';
import { milliseconds } from '../../src/lib/index.ts';
import { postern } from '../cli/command-line.ts';
import { askingBalancer, rulesOf } from '../support/asking-balancer.ts';
import { freePort } from '../support/free-port.ts';
import { hammer, once } from '../support/hammer.ts';
import { type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { until } from '../support/until.ts';

const ROOT = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

/** As Compose reads it, with a password in the shell and nothing else. */
const compose = parse(
  read('docker-compose.yml')
    .replaceAll(/\$\{DATABASE_PASSWORD-\}/g, 'a'.repeat(48))
    .replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1'),
  { merge: true },
);

test('the settings of every service of ours are settings, and the file store is what plain `up` starts', (t) => {
  for (const name of ['postern', 'postern-1', 'postern-2']) {
    const { environment, profiles = [] } = compose.services[name];
    const settings = readSettings(environment);
    t.is(settings.database_url !== undefined, profiles.includes('cluster'), name);
  }
  const others = Object.entries<{ profiles?: string[] }>(compose.services).filter(([name]) => name !== 'postern');
  for (const [name, { profiles }] of others) t.deepEqual(profiles, ['cluster'], name);
  t.deepEqual(compose.services['postern-1'], compose.services['postern-2']);
  // Issued secrets and the keys that open them are not in one volume.
  t.is(new Set(Object.values<{ volumes: string[] }>(compose.services).flatMap(({ volumes }) => volumes)).size, 6);
});

const folder = mkdtempSync(join(tmpdir(), 'postern-cluster-'));
let databases: DatabaseServer;
let balancer: Awaited<ReturnType<typeof askingBalancer>>;
let issuer: string;
let environment: Record<string, string>;
const addresses: { readonly port: number; readonly ops: number }[] = [];
const servers: ServerProcess[] = [];

const start = async (i: number): Promise<void> => {
  const { port, ops } = addresses[i]!;
  const env = { ...environment, POSTERN_PORT: String(port), POSTERN_OPS_PORT: String(ops) };
  servers[i] = await startProcess({ folder, env });
};

test.before(async () => {
  databases = await startDatabaseServer();
  const database = await databases.create();
  for (let i = 0; i < 2; i += 1) addresses.push({ port: await freePort(), ops: await freePort() });
  balancer = await askingBalancer(addresses, rulesOf(read('examples/cluster/haproxy.cfg')));
  issuer = `http://localhost:${balancer.port}`;
  environment = {
    ...compose.services['postern-1'].environment,
    POSTERN_ISSUER: issuer,
    POSTERN_DATABASE_URL: database.url,
    POSTERN_TRUSTED_PROXIES: '127.0.0.1',
  };
  await Promise.all([start(0), start(1)]);
  await until(
    async () => (await once(issuer, { path: '/.well-known/jwks.json' }).catch(() => undefined))?.status === 200,
  );
});

test.afterEach.always('what the servers had to say', (t) => {
  if (!t.passed) t.log(servers.flatMap(({ errors }) => errors).join('\n'));
});
test.after.always(async () => {
  balancer?.close();
  for (const { child } of servers) child.kill('SIGKILL');
  await databases?.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function machine() {
  const { POSTERN_DATABASE_URL, POSTERN_ISSUER } = environment as Record<string, string>;
  const { stdout } = await postern(folder, ['client', 'add', 'Reports', '--type', 'service', '--json'], '', {
    POSTERN_DATABASE_URL,
    POSTERN_ISSUER,
  });
  const { client_id, client_secret } = JSON.parse(stdout);
  return {
    path: '/token',
    headers: {
      authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  };
}

const lines = () => servers.flatMap(({ entries }) => entries);

test.serial('an upgrade, one server after the other, under load: no request fails', async (t) => {
  const load = hammer(issuer, await machine(), 16, { rest: milliseconds(50) });
  await until(() => load.replies.length > 100);
  for (const i of [0, 1]) {
    t.is(await servers[i]!.terminate(), 0);
    await start(i);
    const { ops } = addresses[i]!;
    await until(async () => (await once(`http://127.0.0.1:${ops}`, { path: '/readyz' })).status === 200);
    const served = load.replies.length;
    await until(() => load.replies.length > served + 100);
  }
  await load.stop();
  t.log(`${load.replies.length} answered`);
  t.deepEqual(load.lost, []);
  t.deepEqual([...new Set(load.replies.map(({ status }) => status))], [200]);
});

test.serial('the address in the log is the one the balancer saw, whatever the client says', async (t) => {
  const path = '/nowhere';
  await once(issuer, { path, headers: { 'x-forwarded-for': '203.0.113.7' } });
  const logged = () => lines().filter(({ msg, status }) => msg === 'request' && status === 404);
  await until(() => logged().length > 0);
  t.is(logged().at(-1)!['address'], '127.0.0.1');
});

test.serial(
  'one killed: the other goes on; the database gone: 503 in our words, the JWKS stays; and back',
  async (t) => {
    const asked = await machine();
    await servers[0]!.kill();
    await until(async () => (await once(issuer, asked)).status === 200);
    const load = hammer(issuer, asked, 4);
    await until(() => load.replies.length > 50);
    await load.stop();
    t.deepEqual(load.lost, []);
    t.deepEqual([...new Set(load.replies.map(({ status }) => status))], [200]);

    await databases.stop();
    const wanting = { ...asked, path: '/introspect', body: 'token=x' };
    await until(async () => (await once(issuer, wanting)).text.includes('temporarily_unavailable'));
    t.is((await once(issuer, { path: '/.well-known/jwks.json' })).status, 200);
    await databases.start();
    await until(async () => (await once(issuer, wanting)).status === 200);
  },
);
