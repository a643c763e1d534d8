/** The server on PostgreSQL as an operator meets it: the command line, a database that goes and comes back. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import { seconds } from '../../src/lib/index.ts';
import { LIMITS } from '../../src/store/postgres/index.ts';
import { folderOf, postern } from '../cli/command-line.ts';
import { freePort } from '../support/free-port.ts';
import { addClient, addPerson, PASSWORD, startPostern } from '../support/postern.ts';
import { type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';
import { until } from '../support/until.ts';

/** What a busy machine may add to {@link LIMITS}; `npm run prove` measures without it. */
const BUSY = seconds(10);

let databases: DatabaseServer;
test.before(async () => {
  databases = await startDatabaseServer();
});
test.after.always(() => databases?.remove());

test.serial('the command line works on the database with no server there, and hides its URL', async (t) => {
  const { url } = await databases.create();
  const folder = folderOf(t);
  const env = { POSTERN_DATABASE_URL: url };
  const added = await postern(
    folder,
    ['user', 'add', 'ada@example.com', '--password-stdin', '--json'],
    `${PASSWORD}\n`,
    env,
  );
  t.is(added.code, 0, added.stderr);
  const listed = await postern(folder, ['user', 'list', '--json'], '', env);
  t.is(listed.json.length, 1);
  const config = await postern(folder, ['config', '--json'], '', env);
  t.is(config.json.database_url, '(hidden)');
  const repair = await postern(folder, ['store', 'repair'], '', env);
  t.is(repair.code, 1);
  t.regex(repair.stderr, /the store is a database/);
});

test.serial('a command whose settings are not those of the servers rotates and drops no key of theirs', async (t) => {
  const { url, query } = await databases.create();
  const folder = folderOf(t);
  const env = { POSTERN_DATABASE_URL: url };
  const keys = async () => (await postern(folder, ['keys', 'list', '--json'], '', env)).json.length;
  t.is(await keys(), 1);
  // For servers with `rotate_after: 365d` these are young; the command has the default, 30 days.
  await query(`UPDATE postern.signing_keys SET record = jsonb_set(jsonb_set(record::jsonb,
    '{createdAt}', to_jsonb((record::jsonb->>'createdAt')::bigint - 86400000::bigint * 40)),
    '{signsFrom}', to_jsonb((record::jsonb->>'signsFrom')::bigint - 86400000::bigint * 40))::text`);
  await query(`UPDATE postern.server_secrets SET record = jsonb_set(record::jsonb,
    '{usedFrom}', to_jsonb((record::jsonb->>'usedFrom')::bigint - 86400000::bigint * 40))::text`);
  t.is(await keys(), 1);
  t.deepEqual((await query('SELECT count(*)::int AS n FROM postern.server_secrets')).rows, [{ n: 1 }]);
});

test.serial('the database goes: 503 in time, and /readyz says so; it comes back: all is well by itself', async (t) => {
  const { url } = await databases.create();
  const server = await startPostern({ env: { POSTERN_DATABASE_URL: url, POSTERN_OPS_PORT: String(await freePort()) } });
  t.teardown(() => server.close());
  await addPerson(server);
  const client = await addClient(server, { passwordGrant: true });
  const token = async () => {
    const began = performance.now();
    const { status } = await fetch(`${server.url}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}` },
      body: new URLSearchParams({ grant_type: 'password', username: 'ada@example.com', password: PASSWORD }),
    });
    return { status, took: performance.now() - began };
  };
  const ready = async () => {
    const response = await fetch(`http://127.0.0.1:${server.opsPort}/readyz`);
    return { status: response.status, body: (await response.json()) as { checks: { store: string } } };
  };
  t.is((await token()).status, 200);
  t.is((await ready()).status, 200);

  await databases.stop();
  const refused = await Promise.all(Array.from({ length: 10 }, token));
  t.deepEqual([...new Set(refused.map(({ status }) => status))], [503]);
  t.true(Math.max(...refused.map(({ took }) => took)) < LIMITS.call + BUSY);
  const { status, body } = await ready();
  t.is(status, 503);
  t.regex(body.checks.store, /the database cannot be reached/);
  t.is((await fetch(`${server.url}/.well-known/jwks.json`)).status, 200);

  await databases.start();
  const began = performance.now();
  await until(async () => (await ready()).status === 200);
  t.is((await token()).status, 200);
  t.log(`answered again after ${Math.round(performance.now() - began)} ms`);
});

test.serial(
  'people of another system come in whole on PostgreSQL too, and sign in with the password they had',
  async (t) => {
    const { url, query } = await databases.create();
    const folder = folderOf(t);
    const vectors = readFileSync(new URL('../domain/foreign-hashes.jsonl', import.meta.url), 'utf8')
      .trim()
      .split('\n');
    const { hash, password } = vectors.map((line) => JSON.parse(line)).find(({ by }) => by.endsWith('1,000'));
    const lines = Array.from({ length: 250 }, (_, i) =>
      JSON.stringify({ email: `p${i}@example.com`, password_hash: hash, email_verified: i > 0 }),
    );
    const env = { POSTERN_DATABASE_URL: url };
    const refused = await postern(folder, ['user', 'import', '-'], [...lines, '{}'].join('\n'), env);
    t.is(refused.code, 1);
    t.is((await query('SELECT count(*)::int AS n FROM postern.accounts')).rows[0].n, 0);
    t.is((await postern(folder, ['user', 'import', '-'], lines.join('\n'), env)).stdout, '250 people imported\n');
    const server = await startPostern({ env, folder });
    const pending = async () => (await query('SELECT count(import_id)::int AS n FROM postern.accounts')).rows[0].n;
    t.is(await pending(), 250);
    t.truthy(await server.domain.accounts.authenticate('p7@example.com', password));
    t.is(await pending(), 249);
    await server.close();
  },
);
