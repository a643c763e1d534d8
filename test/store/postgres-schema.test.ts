/** The schema: who makes it, who may not, and that it is what records.ts declares. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import pg from 'pg';
import { seconds, silent } from '../../src/lib/index.ts';
import { TABLE_NAMES, TABLES } from '../../src/store/index.ts';
import { refused } from '../../src/store/postgres/errors.ts';
import { LIMITS, openPostgresStore } from '../../src/store/postgres/index.ts';
import { COMPILED } from '../support/environment.ts';
import { type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';
import { until } from '../support/until.ts';

let server: DatabaseServer;
test.before(async () => {
  server = await startDatabaseServer();
});
test.after.always(() => server?.remove());

const open = (url: string, more = {}) => openPostgresStore({ url, now: Date.now, log: silent, ...more });

/** The numbers of the migrations there are. */
const MIGRATIONS = readdirSync(new URL('../../src/store/postgres/migrations/', import.meta.url)).map((_, i) => i + 1);

const OPENER = `
  import { seconds, silent } from './src/lib/index.ts';
  import { openPostgresStore } from './src/store/postgres/index.ts';
  const store = await openPostgresStore({ url: process.env.URL, now: Date.now, log: silent });
  await store.commit([{ put: 'seen', id: process.env.NAME, record: { issuer: 'i' } }]);
  await store.close();
`;

test('three processes that start at once on an empty database: one migrates, all serve', async (t) => {
  const { url, query } = await server.create();
  const children = ['a', 'b', 'c'].map(
    (NAME): ChildProcess =>
      spawn(process.execPath, ['--input-type=module', '-e', OPENER], {
        cwd: new URL('../../', import.meta.url),
        env: { ...COMPILED, URL: url, NAME },
        stdio: ['ignore', 'ignore', 'inherit'],
      }),
  );
  t.deepEqual(await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0])), [0, 0, 0]);
  t.is((await query('SELECT count(*)::int AS n FROM postern.seen')).rows[0].n, 3);
  const { rows } = await query('SELECT number FROM postern.migrations ORDER BY number');
  t.deepEqual(
    rows.map(({ number }) => number),
    MIGRATIONS,
  );
});

test('every table of records.ts has its columns, and no other table keeps records', async (t) => {
  const { url, query } = await server.create();
  await (await open(url)).close();
  const { rows } = await query(
    `SELECT table_name AS name, string_agg(column_name, ' ' ORDER BY column_name) AS columns
     FROM information_schema.columns WHERE table_schema = 'postern' AND table_name NOT IN ('migrations', 'commits')
     AND table_name NOT LIKE 'versions%' GROUP BY 1 ORDER BY 1`,
  );
  const snake = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const declared = TABLE_NAMES.toSorted().map((name) => ({
    name,
    columns: ['expires_at', 'id', 'record', 'version', ...Object.keys(TABLES[name].indexes).map(snake)]
      .toSorted()
      .join(' '),
  }));
  t.deepEqual(rows, declared);
});

test('a schema made by a newer version is refused in words', async (t) => {
  const { url, query } = await server.create();
  await (await open(url)).close();
  await query(`INSERT INTO postern.migrations (number, name) VALUES (9999, '9999-later.sql')`);
  await t.throwsAsync(open(url), { code: 'schema_newer', message: /newer Postern \(schema 9999; this one knows \d\)/ });
});

test('a schema made by another program is refused and left as it is', async (t) => {
  const { url, query } = await server.create();
  await query('CREATE SCHEMA postern; CREATE TABLE postern.letters (id int)');
  await t.throwsAsync(open(url), { code: 'schema_foreign', message: /another program/ });
  await query('CREATE TABLE postern.migrations (version text)');
  await t.throwsAsync(open(url), { code: 'schema_foreign' });
  const { rows } = await query(`SELECT relname FROM pg_class WHERE relnamespace = 'postern'::regnamespace ORDER BY 1`);
  t.deepEqual(
    rows.map(({ relname }) => relname),
    ['letters', 'migrations'],
  );
});

test('a migration that fails half way leaves nothing, and the next start does it', async (t) => {
  const { url, query } = await server.create();
  // Whoever signs in first lacks the permission for it.
  await query(`CREATE ROLE half LOGIN PASSWORD 'half'`);
  const half = new URL(url);
  half.username = 'half';
  half.password = 'half';
  await t.throwsAsync(open(half.href), {
    code: 'database_unusable',
    message: /half lacks a permission.*CREATE on the database/,
  });
  t.is((await query(`SELECT to_regnamespace('postern') AS schema`)).rows[0].schema, null);
  const store = await open(url);
  await store.close();
  await query('GRANT USAGE ON SCHEMA postern TO half; GRANT SELECT ON ALL TABLES IN SCHEMA postern TO half');
  await t.throwsAsync(open(half.href), { code: 'database_unusable', message: /on the table postern\./ });
  await query('GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA postern TO half');
  await t.throwsAsync(open(half.href), { code: 'database_unusable', message: /on the sequence postern\.versions/ });
  await query('GRANT USAGE ON ALL SEQUENCES IN SCHEMA postern TO half');
  await query('REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA postern FROM PUBLIC');
  await t.throwsAsync(open(half.href), { code: 'database_unusable', message: /on the function postern\./ });
  await query('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA postern TO half');
  const limited = await open(half.href);
  await t.notThrowsAsync(limited.commit([{ put: 'seen', id: 's', record: { issuer: 'i' } }]));
  await limited.close();
});

test('what is wrong with the database is said at the start, without the password', async (t) => {
  const { url, query, name } = await server.create();
  const change = (alter: (url: URL) => void): string => {
    const changed = new URL(url);
    alter(changed);
    return changed.href;
  };
  const password = 'hunter2hunter2';
  const cases: [string, RegExp][] = [
    [
      change((u) => {
        u.port = '1';
      }),
      /nobody listens at 127\.0\.0\.1:1$/,
    ],
    [
      change((u) => {
        u.hostname = 'nowhere.invalid';
      }),
      /there is no host nowhere\.invalid$/,
    ],
    [
      change((u) => {
        u.password = password;
      }),
      /the password of postgres is wrong$/,
    ],
    [
      change((u) => {
        u.pathname = '/none';
      }),
      /there is no database none at 127\.0\.0\.1/,
    ],
    [
      change((u) => {
        u.search = 'sslmode=verify-full';
      }),
      /SSL/,
    ],
  ];
  for (const [wrong, said] of cases) {
    const began = performance.now();
    const error = await t.throwsAsync(open(wrong), { name: 'DatabaseRefused', message: said });
    // 5 s, and what a busy machine may add.
    t.true(performance.now() - began < seconds(15));
    t.false(String(error?.message).includes(password));
  }
  await query(`ALTER DATABASE ${name} SET default_transaction_read_only = true`);
  await t.throwsAsync(open(url), { message: /is read-only$/ });
});

test('an empty database is refused where there was a store before', async (t) => {
  const { url, query } = await server.create();
  await t.throwsAsync(open(url, { mustExist: true }), { code: 'store_missing', message: /--init/ });
  t.is((await query(`SELECT to_regnamespace('postern') AS schema`)).rows[0].schema, null);
  await (await open(url)).close();
  await t.notThrowsAsync(async () => (await open(url, { mustExist: true })).close());
});

/** As the version before the fourth migration left it, which changes tables that are in use. */
const OLDER = `ALTER TABLE postern.accounts DROP COLUMN import_id; ALTER TABLE postern.emails DROP COLUMN import_id;
  DROP TABLE postern.imports; DROP TABLE postern.marks; DROP TABLE postern.device_codes;
  DROP TABLE postern.initial_access_tokens; DROP TABLE postern.sent_forms; DELETE FROM postern.migrations WHERE number > 3;
  SELECT postern.build_commit()`;

test('a migration waits for whoever reads a table, and nobody who wants to read it waits for the migration', async (t) => {
  const { url, query } = await server.create();
  const served = await open(url);
  await query(OLDER);
  const reader = new pg.Client(url);
  await reader.connect();
  await reader.query('BEGIN; SELECT FROM postern.accounts');
  let migrated = false;
  const upgraded = open(url).then((store) => {
    migrated = true;
    return store;
  });
  const waits = async () =>
    (await query(`SELECT FROM pg_locks WHERE relation = 'postern.accounts'::regclass AND NOT granted`)).rowCount === 1;
  for (let round = 0; round < 2; round += 1) {
    await until(waits);
    await t.notThrowsAsync(served.get('accounts', 'usr_1'));
    t.false(migrated);
  }
  await reader.query('COMMIT');
  await reader.end();
  await (await upgraded).close();
  await served.close();
  t.deepEqual((await query('SELECT max(number) AS last FROM postern.migrations')).rows, [{ last: MIGRATIONS.at(-1) }]);
});

test('limits that the owner of a database set for its statements are none for a migration', async (t) => {
  const { url, query, name } = await server.create();
  const { rows: limits } = await query(`SELECT name FROM pg_settings WHERE name IN
    ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout')`);
  for (const limit of limits) await query(`ALTER DATABASE ${name} SET ${limit.name} = '60s'`);
  await query(`CREATE TABLE limits (told text);
    CREATE FUNCTION tell() RETURNS event_trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO limits SELECT setting FROM pg_settings WHERE name IN
      ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout'); END $$;
    CREATE EVENT TRIGGER tell ON ddl_command_end EXECUTE FUNCTION tell()`);
  await (await open(url)).close();
  t.deepEqual((await query('SELECT DISTINCT told FROM limits')).rows, [{ told: '0' }]);
});

test('a limit that somebody set for a role is no database that does not answer, nor one that cannot be reached', async (t) => {
  const { url, query, name } = await server.create();
  const store = await open(url);
  await query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'no more' USING ERRCODE = TG_ARGV[0]; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON postern.seen FOR EACH ROW EXECUTE FUNCTION refuse('53400')`);
  const commit = store.commit([{ put: 'seen', id: 's', record: { issuer: 'i' } }]);
  await t.throwsAsync(commit, { message: 'the database refuses this (53400)' });
  await store.close();

  await query(`ALTER DATABASE ${name} SET lock_timeout = '1ms'`);
  const patient = await open(url);
  const holder = new pg.Client(url);
  await holder.connect();
  await holder.query('BEGIN; LOCK TABLE postern.grants');
  const waiting = patient.get('grants', 'g');
  await pause(200);
  await holder.query('COMMIT');
  await holder.end();
  await t.notThrowsAsync(waiting);
  await patient.close();

  const timedOut = Object.assign(new pg.DatabaseError('canceling statement due to statement timeout', 1, 'error'), {
    code: '57014',
  });
  const target = { named: 'POSTERN_DATABASE_URL', host: 'db', port: 5432, database: 'd', user: 'u' };
  t.regex((refused(timedOut, target) as Error).message, /: canceling statement due to statement timeout \(57014\)$/);
});

test('who owns the schema migrates it without the right to make one; who does not is told whose it is to migrate', async (t) => {
  const { url, query, name } = await server.create();
  const as = (role: string) => Object.assign(new URL(url), { username: `${role}_${name}`, password: 'x' }).href;
  await query(`CREATE ROLE owns_${name} LOGIN PASSWORD 'x'; CREATE ROLE uses_${name} LOGIN PASSWORD 'x';
    GRANT CREATE ON DATABASE ${name} TO owns_${name}`);
  await (await open(as('owns'))).close();
  await query(`REVOKE CREATE ON DATABASE ${name} FROM owns_${name}; GRANT USAGE ON SCHEMA postern TO uses_${name};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA postern TO uses_${name};
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA postern TO uses_${name}`);
  await (await open(as('uses'))).close();
  await query(OLDER);
  await t.throwsAsync(open(as('uses')), {
    code: 'schema_older',
    message: new RegExp(`schema 3\\), and uses_${name} may not migrate it .*the role that owns the schema`),
  });
  await (await open(as('owns'))).close();
  t.deepEqual((await query('SELECT max(number) AS last FROM postern.migrations')).rows, [{ last: MIGRATIONS.at(-1) }]);
});

test('whatever way of writing and reading SQL the owner of a database prefers, commits are kept', async (t) => {
  const { name, url, query } = await server.create();
  for (const setting of [
    'quote_all_identifiers = on',
    'standard_conforming_strings = off',
    'transform_null_equals = on',
    'array_nulls = off',
    `client_encoding = 'LATIN1'`,
    `search_path = 'nowhere'`,
    `default_transaction_isolation = 'serializable'`,
  ])
    await query(`ALTER DATABASE ${name} SET ${setting}`);
  const store = await open(url);
  t.teardown(() => store.close());
  const record = { issuer: "ä \\ ' €" };
  await store.commit([{ put: 'seen', id: 'a', record }]);
  t.deepEqual((await store.get('seen', 'a'))?.record, record);
});

test('a session is told its settings once it stands, and asks for none as it connects, which a pooler would refuse', async (t) => {
  const { url, query, name } = await server.create();
  await query(`ALTER DATABASE ${name} SET default_transaction_isolation = 'serializable'`);
  const store = await open(url);
  await query(`CREATE TABLE told (name text, setting text, source text);
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO told SELECT name, setting, source FROM pg_settings; RETURN NEW; END $$;
    CREATE TRIGGER tell BEFORE INSERT ON postern.seen FOR EACH ROW EXECUTE FUNCTION tell()`);
  await store.commit([{ put: 'seen', id: 's', record: { issuer: 'i' } }]);
  await store.close();
  const { rows } = await query(`SELECT name, setting, source FROM told WHERE source IN ('client', 'session')
    AND name <> 'synchronous_commit' ORDER BY name`);
  t.deepEqual(
    rows.map(({ name, setting, source }) => `${source}: ${name} = ${setting}`),
    [
      'client: application_name = postern',
      'client: client_encoding = UTF8',
      'session: default_transaction_isolation = read committed',
      'session: extra_float_digits = 1',
      'session: lock_timeout = 0',
      `session: statement_timeout = ${LIMITS.statement}`,
    ],
  );
});

test('a time comes back as it went, whatever digits the owner of a database wants to see', async (t) => {
  const { url, query, name } = await server.create();
  await query(`ALTER DATABASE ${name} SET extra_float_digits = -5`);
  const store = await open(url);
  t.plan(2);
  const expiresAt = 1_999_999_999_123.456;
  await store.commit([{ put: 'seen', id: 's', record: { issuer: 'i' }, expiresAt }]);
  t.is((await store.get('seen', 's'))?.expiresAt, expiresAt);
  for await (const rows of store.rows()) for (const row of rows) t.is(row.expiresAt, expiresAt);
  await store.close();
});

test('a commit takes the locks that a process of an earlier release takes for it', async (t) => {
  const { url, query } = await server.create();
  const store = await open(url);
  await query(`CREATE TABLE told (key text);
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO told SELECT format('%s/%s/%s', classid, objid, mode) FROM pg_locks
        WHERE locktype = 'advisory' AND pid = pg_backend_pid();
      RETURN NEW; END $$;
    CREATE TRIGGER tell BEFORE INSERT OR UPDATE ON postern.seen FOR EACH ROW EXECUTE FUNCTION tell()`);
  const locks = async () => {
    const { rows } = await query(
      'WITH gone AS (DELETE FROM told RETURNING key) SELECT DISTINCT key FROM gone ORDER BY key',
    );
    return rows.map(({ key }) => key);
  };
  await store.commit([
    { put: 'seen', id: 'a "quoted", {braced} \\ ü', record: { issuer: 'i' } },
    { remove: 'guesses', id: 'g' },
  ]);
  const now = await locks();
  const changes = [
    { act: 'put', kind: 'seen', id: 'a "quoted", {braced} \\ ü', record: '{"issuer":"i"}' },
    { act: 'remove', kind: 'guesses', id: 'g' },
  ];
  const earlier = JSON.stringify([{ id: 'an-earlier-release', changed: null, changes }]).replaceAll("'", "''");
  await query(`SELECT postern.commit_all(false, false, 0, '${earlier}')`);
  t.deepEqual(now, await locks());
  t.is(now.length, 3, 'one for each row, and the one that all share');
  await store.close();
});
