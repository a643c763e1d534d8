/** A database that cannot be used: at the start one readable line and exit 1, later 503, and never anything half done. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as oidc from 'openid-client';
import { authorize } from '../support/client.ts';
import { environmentOf } from '../support/environment.ts';
import { freePort } from '../support/free-port.ts';
import { addClient, addPerson, type Postern, startPostern } from '../support/postern.ts';
import { type Database, type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';
import { startProcess } from '../support/server-process.ts';
import { until } from '../support/until.ts';

let databases: DatabaseServer;
test.before(async () => {
  databases = await startDatabaseServer();
});
test.after.always(() => databases?.remove());

const SECRET = 'hunter2hunter2';

/** `npm start` that ends by itself. */
async function failedStart(t: ExecutionContext, url: string, workers: number) {
  const folder = mkdtempSync(join(tmpdir(), 'postern-database-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const child = spawn(process.execPath, ['bin/server.js'], {
    cwd: new URL('../../', import.meta.url),
    env: {
      ...environmentOf(folder),
      POSTERN_DATABASE_URL: url,
      POSTERN_WORKERS: String(workers),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  // Of workers that were left behind these would stay open.
  const [code] = await once(child, 'close');
  return { code, said, printed };
}

const changed = (url: string, change: Partial<URL>): string => Object.assign(new URL(url), change).href;

/** A role that may sign in, and nothing else yet. */
async function roleOf({ name, url, query }: Database): Promise<string> {
  const role = `limited_${name}`;
  await query(`CREATE ROLE ${role} LOGIN PASSWORD '${SECRET}'`);
  return changed(url, { username: role, password: SECRET });
}

/** What PostgreSQL says when its disk is full, for whatever it is asked to make or insert. */
const FULL = `BEGIN RAISE EXCEPTION 'could not extend file "base/5/16385": No space left on device' USING ERRCODE = '53100'; END`;

const eachTable = (statement: string): string =>
  `DO $do$ DECLARE t text; BEGIN FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'postern'::regnamespace AND relkind = 'r'
   LOOP EXECUTE format($f$${statement}$f$, t); END LOOP; END $do$`;

async function fillDisk({ query }: Database): Promise<void> {
  await query(`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$${FULL}$$`);
  await query(
    eachTable(
      'CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON postern.%I FOR EACH ROW EXECUTE FUNCTION full_disk()',
    ),
  );
}

interface Bad {
  readonly what: string;
  /** Spoils the database; gives back the URL to use. */
  readonly spoil: (database: Database) => Promise<string>;
  /** The one line, after `cannot use the database (POSTERN_DATABASE_URL): `. */
  readonly said: RegExp;
}

const STARTS: readonly Bad[] = [
  {
    what: 'a URL of another kind',
    spoil: async () => `mysql://root:${SECRET}@127.0.0.1/x`,
    said: /database_url \(POSTERN_DATABASE_URL\): must be a URL such as postgresql:/,
  },
  {
    what: 'a port where nobody listens',
    spoil: async ({ url }) => changed(url, { port: '1' }),
    said: /^cannot use the database \(POSTERN_DATABASE_URL\): nobody listens at 127\.0\.0\.1:1\n$/,
  },
  {
    what: 'a wrong password',
    spoil: async ({ url }) => changed(url, { password: SECRET }),
    said: /^cannot use the database .*: the password of postgres is wrong\n$/,
  },
  {
    what: 'a role that may not sign in',
    async spoil(database) {
      const url = await roleOf(database);
      await database.query(`ALTER ROLE ${new URL(url).username} NOLOGIN`);
      return url;
    },
    said: /^cannot use the database .*: limited_\w+ may not sign in from here \(role "limited_\w+" is not permitted to log in\)\n$/,
  },
  {
    what: 'the wish for TLS that it does not have',
    spoil: async ({ url }) => `${url}?sslmode=require`,
    said: /^cannot use the database .*: The server does not support SSL connections\n$/,
  },
  {
    what: 'a role without permissions',
    spoil: roleOf,
    said: /^cannot use the database .*: limited_\w+ lacks a permission there \(.*\); the first start needs CREATE on the database, .*\n$/,
  },
  {
    what: 'a full disk',
    async spoil({ url, query }) {
      await query(`CREATE FUNCTION full_disk() RETURNS event_trigger LANGUAGE plpgsql AS $$${FULL}$$`);
      await query('CREATE EVENT TRIGGER full_disk ON ddl_command_start EXECUTE FUNCTION full_disk()');
      return url;
    },
    said: /^cannot use the database .*: the disk of the database at 127\.0\.0\.1:\d+ is full\n$/,
  },
  {
    what: 'a disk that is full once the tables are there',
    async spoil(database) {
      const server = await startPostern({ env: { POSTERN_DATABASE_URL: database.url } });
      await server.close();
      await database.query('TRUNCATE postern.signing_keys, postern.server_secrets');
      await fillDisk(database);
      return database.url;
    },
    said: /^the store cannot be used: the disk of the database is full\n$/,
  },
  {
    what: 'a schema that another program made',
    async spoil({ url, query }) {
      await query('CREATE SCHEMA postern; CREATE TABLE postern.letters (id int)');
      return url;
    },
    said: /^the database has a schema named postern that another program made: .*\n$/,
  },
  {
    what: 'a schema that a newer version made',
    async spoil({ url, query }) {
      const server = await startPostern({ env: { POSTERN_DATABASE_URL: url } });
      await server.close();
      await query(`INSERT INTO postern.migrations (number, name) VALUES (9999, '9999-later.sql')`);
      return url;
    },
    said: /^the database was migrated by a newer Postern \(schema 9999; this one knows \d+\): .*\n$/,
  },
];

/** Everything there is in the schema, and how much of it. */
const contents = async ({ query }: Database): Promise<unknown> =>
  (
    await query(
      `SELECT relname, relkind, (xpath('//n/text()', query_to_xml(format('SELECT count(*) AS n FROM %s', oid::regclass), false, true, '')))[1]::text AS n
       FROM pg_class WHERE relnamespace = to_regnamespace('postern') AND relkind = 'r' ORDER BY 1`,
    )
  ).rows;

for (const [i, { what, spoil, said }] of STARTS.entries()) {
  // One process and several take turns.
  const workers = 1 + (i % 2);
  test.serial(`${what}: one readable line, exit 1, nothing changed (processes: ${workers})`, async (t) => {
    const database = await databases.create();
    const url = await spoil(database);
    const before = await contents(database);
    const failed = await failedStart(t, url, workers);
    t.is(failed.code, 1);
    t.regex(failed.said, said);
    t.notRegex(failed.said, new RegExp(`${SECRET}|\\n\\s+at `));
    t.is(failed.printed, '');
    t.deepEqual(await contents(database), before);
  });
}

interface Fault {
  readonly what: string;
  readonly begin: (database: Database, role: string) => Promise<unknown>;
  readonly end?: (database: Database, role: string) => Promise<unknown>;
  readonly ready: RegExp;
}

const FAULTS: readonly Fault[] = [
  {
    what: 'its disk is full',
    begin: fillDisk,
    end: ({ query }) => query('DROP FUNCTION full_disk() CASCADE'),
    ready: /^the disk of the database is full$/,
  },
  {
    what: 'a permission was taken away',
    begin: ({ query }, role) => query(`REVOKE INSERT, UPDATE ON ALL TABLES IN SCHEMA postern FROM ${role}`),
    end: ({ query }, role) => query(`GRANT INSERT, UPDATE ON ALL TABLES IN SCHEMA postern TO ${role}`),
    ready: /^a permission is missing in the database$/,
  },
  {
    what: 'its tables were dropped',
    begin: dropTables,
    ready: /^the tables of the database are gone, or not ours$/,
  },
];

/** Where the server holds what this wants and wants what this holds, PostgreSQL ends one of the two: then once more. */
async function dropTables(database: Database): Promise<void> {
  try {
    await database.query('DROP SCHEMA postern CASCADE');
  } catch (error) {
    if ((error as { code?: string }).code !== '40P01') throw error;
    await dropTables(database);
  }
}

/** What docs/operations.md says it needs. */
async function grant({ query }: Database, role: string): Promise<void> {
  await query(`GRANT USAGE ON SCHEMA postern TO ${role}`);
  await query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA postern TO ${role}`);
  await query(`GRANT USAGE ON ALL SEQUENCES IN SCHEMA postern TO ${role}`);
}

const readyOf = async ({ opsPort }: Postern) => {
  const response = await fetch(`http://127.0.0.1:${opsPort}/readyz`);
  return { status: response.status, store: ((await response.json()) as { checks: { store: string } }).checks.store };
};

for (const { what, begin, end, ready } of FAULTS) {
  test.serial(`a database that is served, and ${what}: 503, /readyz says why, nothing is half done`, async (t) => {
    const database = await databases.create();
    const limited = await roleOf(database);
    const role = new URL(limited).username;
    const owner = await startPostern({
      env: { POSTERN_DATABASE_URL: database.url, POSTERN_OPS_PORT: String(await freePort()) },
    });
    // Served by a role that may read and write, and no more.
    const server = await owner.restart(() => grant(database, role), { POSTERN_DATABASE_URL: limited });
    t.teardown(() => server.close());
    await addPerson(server);
    const client = await addClient(server);
    const { config, tokens } = await authorize(server, client);
    t.deepEqual(await readyOf(server), { status: 200, store: 'ok' });

    await begin(database, role);
    const refused = await oidc.refreshTokenGrant(config, tokens.refresh_token!).catch((error) => error);
    t.is(refused.cause?.status, 503);
    const { status, store } = await readyOf(server);
    t.is(status, 503);
    t.regex(store, ready);
    const metrics = await (await fetch(`http://127.0.0.1:${server.opsPort}/metrics`)).text();
    t.regex(metrics, /^postern_store_writable 0$/m);
    t.is((await fetch(`${server.url}/.well-known/jwks.json`)).status, 200);
    if (!end) return;

    await end(database, role);
    // With no request that would try it.
    await until(async () => (await readyOf(server)).status === 200);
    const again = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
    t.truthy((await oidc.refreshTokenGrant(config, again.refresh_token!)).access_token);
  });
}

test.serial(
  'a start on a full disk at which nobody has an account yet serves, and says what it could not do',
  async (t) => {
    const database = await databases.create();
    const folder = mkdtempSync(join(tmpdir(), 'postern-database-'));
    const env = { POSTERN_DATABASE_URL: database.url };
    await (await startProcess({ folder, env })).terminate();
    await fillDisk(database);
    const server = await startProcess({ folder, env });
    t.teardown(async () => {
      await server.kill();
      rmSync(folder, { recursive: true });
    });
    await until(() => server.errors.some((line) => line.includes('the first operator gets in cannot be made')));
    t.is((await fetch(`${server.url}/.well-known/jwks.json`)).status, 200);
    t.is(await server.terminate(), 0);
  },
);
