/** Several stores on one database, as several processes have them. */
import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import { minutes, silent } from '../../src/lib/index.ts';
import { type Change, type Client, StoreConflict } from '../../src/store/index.ts';
import { openPostgresStore, type PostgresStore } from '../../src/store/postgres/index.ts';
import { type Database, type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { artifact } from './records.ts';

let server: DatabaseServer;
test.before(async () => {
  server = await startDatabaseServer();
});
test.after.always(() => server?.remove());

async function stores(t: ExecutionContext): Promise<[PostgresStore, PostgresStore, Database]> {
  const database = await server.create();
  const open = async (): Promise<PostgresStore> => {
    const store = await openPostgresStore({ url: database.url, now: Date.now, log: silent });
    t.teardown(() => store.close());
    return store;
  };
  return [await open(), await open(), database];
}

const client = (name: string): Client => ({
  name,
  type: 'service',
  redirectUris: [],
  postLogoutRedirectUris: [],
  grantTypes: [],
  scopes: [],
  resources: [],
  firstParty: false,
  tokenEndpointAuthMethod: 'client_secret_basic',
  secretHashes: [],
  createdAt: 1,
  updatedAt: 1,
});

/** The connections that hear of changes: each holds the lock that says who has the store open. */
const LISTENERS = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** What is asked of the tables of this database from now on. */
function statements(t: ExecutionContext, { name }: Database): string[] {
  const sent: string[] = [];
  const { prototype } = pg.Client;
  const send = prototype.query;
  prototype.query = function query(this: pg.Client, ...args: [string | { text: string }]) {
    const text = typeof args[0] === 'string' ? args[0] : args[0].text;
    if (this.database === name && text.includes('postern.')) sent.push(text);
    return send.apply(this, args as never);
  } as never;
  t.teardown(() => {
    prototype.query = send;
  });
  return sent;
}

test('commits that touch the same rows in any order never deadlock, and each is whole', async (t) => {
  const [a, b, { query }] = await stores(t);
  const ids = Array.from({ length: 6 }, (_, i) => `g${i}`);
  const commits = Array.from({ length: 300 }, (_, i) => {
    const shuffled = ids.toSorted(() => Math.random() - 0.5).slice(0, 4);
    const changes: Change[] = shuffled.map((id) => ({ put: 'grants', id, record: artifact({ accountId: `a${i}` }) }));
    if (i % 3 === 0) changes.push({ remove: 'sessions', id: 's' }, { put: 'consents', id: 'c', record: {} as never });
    return (i % 2 ? a : b).commit(changes);
  });
  await Promise.all(commits);
  const { rows } = await query(`SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()`);
  t.is(rows[0].deadlocks, 0);
});

test('a commit of thousands of rows is one too, and small ones go on beside it', async (t) => {
  const [a, b] = await stores(t);
  const many = Array.from({ length: 5000 }, (_, i): Change => ({ put: 'grants', id: `g${i}`, record: artifact() }));
  const small = Array.from({ length: 50 }, (_, i) =>
    (i % 2 ? a : b).commit([{ put: 'grants', id: `g${i * 100}`, record: artifact({ accountId: 'small' }) }]),
  );
  await Promise.all([a.commit(many), ...small]);
  t.is((await a.stats()).rows.grants, 5000);
});

test('of 20 uses of one version from two processes, exactly one succeeds, 50 times', async (t) => {
  const both = await stores(t);
  for (let trial = 0; trial < 50; trial += 1) {
    const put = { put: 'authorization_codes', id: `c${trial}` } as const;
    await both[0].commit([{ ...put, record: artifact() }]);
    const { version } = (await both[1].get('authorization_codes', put.id))!;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        (both[i % 2] as PostgresStore).commit([{ ...put, record: artifact({ consumedAt: i }), expect: version }]),
      ),
    );
    t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') t.true(outcome.reason instanceof StoreConflict, String(outcome.reason));
  }
});

test('a change of a client in one process is heard of in the other, and is what it reads', async (t) => {
  const [a, b] = await stores(t);
  const heard: string[] = [];
  b.onChange((table) => heard.push(table));
  await a.commit([{ put: 'clients', id: 'cli_1', record: client('before') }]);
  await until(() => heard.length === 1);
  const before = await b.get('clients', 'cli_1');
  t.is(before?.record.name, 'before');
  const seen = { table: 'clients', id: 'cli_1', version: before?.version } as const;
  t.true(b.unchanged([seen]));
  heard.length = 0;
  const began = performance.now();
  await a.commit([
    { put: 'clients', id: 'cli_1', record: client('after') },
    { put: 'signing_keys', id: 'k', record: { alg: 'RS256', publicJwk: {}, createdAt: 1, signsFrom: 1 } },
  ]);
  t.is((await a.get('clients', 'cli_1'))?.record.name, 'after');
  await until(() => heard.length === 2);
  t.log(`heard after ${Math.round(performance.now() - began)} ms`);
  t.deepEqual(heard.toSorted(), ['clients', 'signing_keys']);
  t.not(b.unchanged([seen]), true);
  t.is((await b.get('clients', 'cli_1'))?.record.name, 'after');
  t.false(b.unchanged([seen]));
});

test('a clock that parts from the database’s while it is served is told, with what to do about it', async (t) => {
  const { url } = await server.create();
  const said: string[] = [];
  const log = {
    ...silent,
    warn: (_: object, what: string) => said.push(what),
    info: (_: object, what: string) => said.push(what),
  };
  let ahead = 0;
  const store = await openPostgresStore({ url, now: () => Date.now() + ahead, log: log as never });
  t.teardown(() => store.close());
  const told = async (what: RegExp) => {
    await until(() => said.some((line) => what.test(line)));
    said.splice(0);
  };
  t.false(said.some((line) => /clock/.test(line)));
  // As a process has it whose machine's clock is set back under it.
  ahead = minutes(2);
  await told(/clock was set.*restart it/);
  ahead = 0;
  await told(/agree again/);
});

test('nobody hears of what changes at every request', async (t) => {
  const [a, b] = await stores(t);
  const heard: string[] = [];
  b.onChange((table) => heard.push(table));
  await a.commit([{ put: 'grants', id: 'g', record: artifact() }]);
  await a.commit([{ put: 'clients', id: 'cli_1', record: client('x') }]);
  await until(() => heard.length > 0);
  t.deepEqual(heard, ['clients']);
});

test.serial('a client is read once and then known, until the line that tells of changes is lost', async (t) => {
  const [a, b, database] = await stores(t);
  const heard: string[] = [];
  b.onChange((table) => heard.push(table));
  await a.commit([{ put: 'clients', id: 'cli_1', record: client('x') }]);
  await until(() => heard.length === 1);
  const sent = statements(t, database);
  for (let i = 0; i < 50; i += 1) await b.get('clients', 'cli_1');
  t.is(sent.length, 1);
  const seen = { table: 'clients', id: 'cli_1', version: (await b.get('clients', 'cli_1'))?.version } as const;
  t.true(b.unchanged([seen]));
  heard.length = 0;
  const lost = await database.query(`SELECT pg_terminate_backend(pid) FROM (${LISTENERS}) AS listeners`);
  t.is(lost.rowCount, 2);
  // What changes now is not told to anybody.
  await database.query(`UPDATE postern.clients SET record = replace(record, '"x"', '"y"')`);
  await until(async () => (await b.get('clients', 'cli_1'))?.record.name === 'y');
  t.not(b.unchanged([seen]), true);
  await until(() => heard.includes('signing_keys') && heard.includes('clients'));
  await a.commit([{ put: 'clients', id: 'cli_1', record: client('z') }]);
  await until(async () => (await b.get('clients', 'cli_1'))?.record.name === 'z');
});

test.serial(
  'what is no resource is asked for once, until one is registered, and strangers push nothing out',
  async (t) => {
    const [a, b, database] = await stores(t);
    const heard: string[] = [];
    b.onChange((table) => heard.push(table));
    await a.commit([{ put: 'clients', id: 'cli_1', record: client('x') }]);
    await until(() => heard.length === 1);
    const uri = 'https://files.example.com';
    const sent = statements(t, database);
    await b.get('clients', 'cli_1');
    for (let i = 0; i < 50; i += 1) t.is(await b.get('resources', uri), undefined);
    t.is(sent.length, 2);
    for (let i = 0; i < 2500; i += 1) await b.get('clients', `cli_nobody${i}`);
    sent.length = 0;
    await b.get('clients', 'cli_1');
    t.is(sent.length, 0);
    heard.length = 0;
    const at = Date.now();
    const record = { scopes: [], revocable: false, createdAt: at, updatedAt: at };
    await a.commit([{ put: 'resources', id: uri, record }]);
    await until(() => heard.includes('resources'));
    t.deepEqual((await b.get('resources', uri))?.record, record);
    t.deepEqual((await a.get('resources', uri))?.record, record);
  },
);

test.serial('all that is asked for in one tick is one statement', async (t) => {
  const [a, , database] = await stores(t);
  await a.commit([{ put: 'sessions', id: 's', record: artifact({ accountId: 'usr_1' }) }]);
  const ids = Array.from({ length: 40 }, (_, i) => `t${i}`);
  await a.commit(ids.map((id) => ({ put: 'access_tokens', id, record: artifact({ grantId: id }) })));
  const sent = statements(t, database);
  const [session, found, ...rows] = await Promise.all([
    a.get('sessions', 's'),
    a.find('sessions', 'accountId', 'usr_1'),
    a.get('grants', 'none'),
    ...ids.map((id) => a.get('access_tokens', id)),
  ]);
  t.is(session?.id, 's');
  t.is(found.rows.length, 1);
  t.deepEqual(
    rows.slice(1).map((row) => row?.id),
    ids,
  );
  t.is(sent.length, 1);
});

test('an index value that no column can hold finds its rows all the same', async (t) => {
  const [a] = await stores(t);
  for (const [i, accountId] of ['nul\0', 'x'.repeat(5000), '\ud800', '#x'].entries()) {
    await a.commit([{ put: 'grants', id: `g${i}`, record: artifact({ accountId }) }]);
    t.deepEqual(
      (await a.find('grants', 'accountId', accountId)).rows.map(({ id }) => id),
      [`g${i}`],
    );
  }
});

test('a commit that was forbidden because its answer was lost is not done when it arrives minutes later', async (t) => {
  const [store, , database] = await stores(t);
  // As whoever asked left it, and as what was asked about arrives, the network having held it back.
  const forbid = (id: string, ago: string) =>
    database.query(`INSERT INTO postern.commits (id, happened, at) VALUES ($1, false, now() - $2::interval)`, [
      id,
      ago,
    ]);
  const arrive = (id: string) => database.query(`SELECT postern.commit($1, false, 0, null, '[]')`, [id]);
  await forbid('late', '10 minutes');
  await forbid('long ago', '61 minutes');
  await store.sweep(Date.now());
  await t.throwsAsync(arrive('late'), { code: '23505' });
  await t.notThrowsAsync(arrive('long ago'), 'in the end it is swept too');
});

test('names of commits are swept in steps, however many there are', async (t) => {
  const [store, , database] = await stores(t);
  await database.query(`CREATE TABLE steps (rows integer);
    CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO steps SELECT count(*) FROM gone; RETURN NULL; END $$;
    CREATE TRIGGER told AFTER DELETE ON postern.commits REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION told();
    INSERT INTO postern.commits (id, happened, at)
    SELECT n, true, now() - interval '2 minutes' FROM generate_series(1, 125000) n`);
  t.is(await store.sweep(Date.now()), 0);
  t.deepEqual(
    (await database.query('SELECT rows FROM steps')).rows.map(({ rows }) => rows),
    [50_000, 50_000, 25_000],
  );
});
