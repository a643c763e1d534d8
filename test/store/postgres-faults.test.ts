/** PostgreSQL fails in every way it can; what was acknowledged is there, and nothing else is claimed. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { seconds, silent } from '../../src/lib/index.ts';
import { save, writeBackup } from '../../src/store/backup/index.ts';
import { StoreConflict, StoreUnavailable } from '../../src/store/index.ts';
import { refused } from '../../src/store/postgres/errors.ts';
import { LIMITS, openDatabaseAlone, openPostgresStore, type PostgresStore } from '../../src/store/postgres/index.ts';
import { type CutProxy, cutProxy } from '../support/cut-proxy.ts';
import { type Database, type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { artifact, guess } from './records.ts';

let server: DatabaseServer;
test.before(async () => {
  server = await startDatabaseServer();
});
test.after.always(() => server?.remove());

interface Kit {
  readonly database: Database;
  readonly proxy: CutProxy;
  readonly store: PostgresStore;
}

/** What a busy machine may add to {@link LIMITS}; `npm run prove` measures without it. */
const BUSY = seconds(10);
const LIMIT = LIMITS.call + BUSY;

test('no call of the store may take 5 s', (t) => t.true(LIMITS.call < seconds(5)));

/** A database, a line to it that can be cut, and a store at its end. */
async function kit(t: ExecutionContext): Promise<Kit> {
  const database = await server.create();
  const proxy = await cutProxy(server.port);
  const url = new URL(database.url);
  url.port = String(proxy.port);
  const store = await openPostgresStore({ url: url.href, now: Date.now, log: silent });
  t.teardown(async () => {
    proxy.mode = 'forward';
    await store.close();
    await proxy.close();
  });
  return { database, proxy, store };
}

/** Somebody holds what they took, with a `pg_sleep`. */
const sleeps = (database: Database) => anybody(database, `wait_event = 'PgSleep'`);

/** Somebody waits for what another holds. */
const waits = (database: Database) => anybody(database, `wait_event_type = 'Lock'`);

async function anybody({ query, name }: Database, does: string): Promise<boolean> {
  return (await query(`SELECT FROM pg_stat_activity WHERE datname = '${name}' AND ${does}`)).rowCount !== 0;
}

/** Every call is refused, none takes longer than it may. */
async function allUnavailable(t: ExecutionContext, store: PostgresStore): Promise<void> {
  const began = performance.now();
  const calls = [
    store.get('accounts', 'usr_1'),
    store.find('sessions', 'accountId', 'usr_1'),
    store.commit([{ put: 'grants', id: 'refused', record: artifact() }]),
    store.sweep(0),
    store.stats(),
  ];
  for (const call of calls) await t.throwsAsync(call, { instanceOf: StoreUnavailable });
  const took = performance.now() - began;
  t.true(took < LIMIT, `${took} ms`);
  t.log(`refused within ${Math.round(took)} ms`);
}

/** Commits until it works; how often that was refused. */
async function recovers(t: ExecutionContext, store: PostgresStore): Promise<number> {
  const began = performance.now();
  for (let refused = 0; ; refused += 1) {
    try {
      await store.commit([{ put: 'guesses', id: 'alive', record: guess(1) }]);
      t.log(`recovered after ${Math.round(performance.now() - began)} ms`);
      t.pass();
      return refused;
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || performance.now() - began > seconds(30)) throw error;
      await pause(20);
    }
  }
}

test.serial('a commit whose answer is cut is known to have happened, and is not done twice', async (t) => {
  const { proxy, store, database } = await kit(t);
  await store.commit([{ put: 'seen', id: 'warm', record: { issuer: 'i' } }]);
  const committing = store.commit([{ put: 'seen', id: 'jti', record: { issuer: 'i' }, expect: 'absent' }]);
  proxy.mode = 'cut-answers';
  await pause(100);
  proxy.mode = 'forward';
  await t.notThrowsAsync(committing);
  const { rows } = await database.query(`SELECT happened, count(*)::int FROM postern.commits GROUP BY 1 ORDER BY 1`);
  t.true(rows.some(({ happened, count }) => happened && count === 2));
});

test.serial('a commit that is cut on its way is known not to have happened, and is tried again', async (t) => {
  const { proxy, store } = await kit(t);
  await store.commit([{ put: 'seen', id: 'warm', record: { issuer: 'i' } }]);
  const committing = store.commit([{ put: 'seen', id: 'jti', record: { issuer: 'i' }, expect: 'absent' }]);
  proxy.mode = 'cut-requests';
  await pause(100);
  proxy.mode = 'forward';
  await t.notThrowsAsync(committing);
  t.truthy(await store.get('seen', 'jti'));
});

test.serial('a commit that is still under way when its connection is lost is waited for', async (t) => {
  const { proxy, store, database } = await kit(t);
  await store.commit([{ put: 'grants', id: 'g', record: artifact() }]);
  const { version } = (await store.get('grants', 'g'))!;
  // Holds the row for a while, so that the commit stands in the server when its connection is cut.
  const holding = database.query(
    `BEGIN; SELECT FROM postern.grants WHERE id = 'g' FOR UPDATE; SELECT pg_sleep(1); COMMIT`,
  );
  await until(() => sleeps(database));
  const committing = store.commit([{ put: 'grants', id: 'g', record: artifact({ accountId: 'a' }), expect: version }]);
  await until(() => waits(database));
  proxy.cut();
  await t.notThrowsAsync(committing);
  await holding;
  t.is((await store.get('grants', 'g'))?.record.accountId, 'a');
});

test.serial(
  'a line that swallows everything: refused within 5 s, an unknown outcome is never acknowledged',
  async (t) => {
    const { proxy, store } = await kit(t);
    proxy.mode = 'swallow';
    await allUnavailable(t, store);
    proxy.cut();
    proxy.mode = 'forward';
    await recovers(t, store);
  },
);

const CUTS = 80;

test.serial(`cut ${CUTS} times at random: the counter is what was acknowledged`, async (t) => {
  const { proxy, store } = await kit(t);
  await store.commit([{ put: 'grants', id: 'counter', record: artifact({ consumedAt: 0 }) }]);
  let working = true;
  let cuts = 0;
  const cutting = (async () => {
    while (working) {
      await pause(Math.random() * 12);
      proxy.mode = Math.random() < 0.5 ? 'cut-answers' : 'cut-requests';
      await pause(Math.random() * 3);
      proxy.mode = 'forward';
      cuts += 1;
    }
  })();
  let acknowledged = 0;
  let unknown = 0;
  let conflicts = 0;
  for (let i = 0; i < CUTS || cuts < CUTS; i += 1) {
    try {
      const { version, record } = (await store.get('grants', 'counter'))!;
      const consumedAt = (record.consumedAt ?? 0) + 1;
      await store.commit([{ put: 'grants', id: 'counter', record: { ...record, consumedAt }, expect: version }]);
      acknowledged += 1;
    } catch (error) {
      if (error instanceof StoreUnavailable) unknown += 1;
      else if (error instanceof StoreConflict) conflicts += 1;
      else throw error;
    }
  }
  working = false;
  await cutting;
  const counted = (await store.get('grants', 'counter'))?.record.consumedAt ?? 0;
  t.log(`${cuts} cuts, ${acknowledged} acknowledged, ${unknown} unknown, ${conflicts} false conflicts`);
  t.is(conflicts, 0);
  t.true(counted >= acknowledged && counted <= acknowledged + unknown, `${counted} counted`);
});

interface Account {
  lost: number;
  resurrected: number;
  phantom: number;
  acknowledged: number;
  unknown: number;
}

/** Codes are made and used while `harm` goes on; afterwards every one of them is asked about. */
async function accountFor(store: PostgresStore, harm: (account: Readonly<Account>) => Promise<void>): Promise<Account> {
  const made = new Map<string, 'ok' | 'unknown'>();
  const used = new Map<string, 'ok' | 'unknown' | 'refused'>();
  const account: Account = { lost: 0, resurrected: 0, phantom: 0, acknowledged: 0, unknown: 0 };
  let working = true;
  const attempt = async (work: () => Promise<unknown>): Promise<'ok' | 'unknown' | 'refused'> => {
    try {
      await work();
      account.acknowledged += 1;
      return 'ok';
    } catch (error) {
      if (error instanceof StoreConflict) return 'refused';
      if (!(error instanceof StoreUnavailable)) throw error;
      account.unknown += 1;
      return 'unknown';
    }
  };
  const workers = Array.from({ length: 8 }, async (_, worker) => {
    for (let i = 0; working; i += 1) {
      const id = `c${worker}-${i}`;
      const put = { put: 'authorization_codes', id } as const;
      const first = await attempt(() => store.commit([{ ...put, record: artifact(), expect: 'absent' }]));
      // A new id cannot be taken, unless by an attempt of ours that was said not to have happened.
      if (first === 'refused') account.phantom += 1;
      else made.set(id, first);
      const row = await store.get('authorization_codes', id).catch(() => undefined);
      if (!row) continue;
      const use = () =>
        store.commit([
          { ...put, record: artifact({ consumedAt: 1 }), expect: row.version },
          { put: 'access_tokens', id, record: artifact(), expect: 'absent' },
        ]);
      const outcome = await attempt(use);
      if (outcome === 'refused') account.phantom += 1;
      used.set(id, outcome);
    }
  });
  await harm(account);
  working = false;
  await Promise.all(workers);
  for (const [id, outcome] of made) {
    const [code, token] = await Promise.all([store.get('authorization_codes', id), store.get('access_tokens', id)]);
    if (outcome === 'ok' && !code) account.lost += 1;
    if (used.get(id) === 'ok' && !token) account.lost += 1;
    if (used.get(id) === 'ok' && !code?.record.consumedAt) account.resurrected += 1;
    // Half of a commit.
    if ((token === undefined) !== (code?.record.consumedAt === undefined)) account.phantom += 1;
  }
  return account;
}

test.serial('backends terminated under load: nothing lost, nothing returns, nothing half done', async (t) => {
  const { store, database } = await kit(t);
  let killed = 0;
  const account = await accountFor(store, async (so) => {
    for (let i = 0; i < 60 || killed <= 50 || so.acknowledged <= 100; i += 1) {
      const { rowCount } = await database.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'postern' AND random() < 0.5`,
      );
      killed += rowCount ?? 0;
    }
  });
  t.log({ killed, ...account });
  t.like(account, { lost: 0, resurrected: 0, phantom: 0 });
});

test.serial('PostgreSQL itself killed under load, three times: the same', async (t) => {
  const { store } = await kit(t);
  const account = await accountFor(store, async (so) => {
    const isWorking = async () => {
      const before = so.acknowledged;
      await until(() => so.acknowledged > before + 100);
    };
    for (let i = 0; i < 3; i += 1) {
      await isWorking();
      await server.crash();
    }
    await isWorking();
  });
  t.log(account);
  t.like(account, { lost: 0, resurrected: 0, phantom: 0 });
  await recovers(t, store);
});

test.serial('a database that became read-only refuses commits and answers reads', async (t) => {
  const { store, database, proxy } = await kit(t);
  await store.commit([{ put: 'grants', id: 'g', record: artifact() }]);
  const readOnly = (on: boolean) =>
    database.query(`ALTER DATABASE ${database.name} SET default_transaction_read_only = ${on}`);
  await readOnly(true);
  await database.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'postern'`);
  await t.throwsAsync(store.commit([{ remove: 'grants', id: 'g' }]), {
    instanceOf: StoreUnavailable,
    message: /read-only/,
  });
  t.truthy(await store.get('grants', 'g'));
  t.false((await store.stats()).writable);
  // Connections that were made meanwhile stay read-only for as long as they live, and one of them finds it out for all.
  proxy.delay = 200;
  await Promise.all(Array.from({ length: 10 }, (_, i) => pause(10 * i).then(() => store.get('grants', 'g'))));
  proxy.delay = 0;
  await pause(seconds(1));
  // A database that refuses writes can still be told to take them again.
  await database.query(
    `BEGIN READ WRITE; ALTER DATABASE ${database.name} SET default_transaction_read_only = false; COMMIT`,
  );
  t.true((await recovers(t, store)) <= 1);
  t.true((await store.stats()).writable);
});

test.serial('what a database refuses is known from its codes, whatever language it speaks', async (t) => {
  const { store, database, proxy } = await kit(t);
  // As long as the word it stands for.
  proxy.said = (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('SERROR\0', 'SFEHL!\0'), 'latin1');
  await database.query(`CREATE FUNCTION postern.refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON postern.grants FOR EACH ROW EXECUTE FUNCTION postern.refuse()`);
  const message = 'the disk of the database is full';
  await t.throwsAsync(store.commit([{ put: 'grants', id: 'g', record: artifact() }]), {
    instanceOf: StoreUnavailable,
    message,
  });
  t.like(await store.stats(), { writable: false, fault: message });
});

test('a certificate that nobody trusted signed is told with what the URL has to name', (t) => {
  const target = { named: 'POSTERN_DATABASE_URL', host: 'db', port: 5432, database: 'd', user: 'u' };
  for (const code of ['SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'])
    t.regex(
      (refused(Object.assign(new Error(code), { code }), target) as Error).message,
      /certificate of db:5432 .*sslrootcert=/,
    );
});

test.serial('a database that says nothing any more keeps nobody from letting go of it', async (t) => {
  const database = await server.create();
  const store = await openPostgresStore({ url: database.url, now: Date.now, log: silent });
  await store.commit([{ put: 'grants', id: 'g', record: artifact() }]);
  const { rows } = await database.query(
    `SELECT pid FROM pg_stat_activity WHERE datname = '${database.name}' AND pid <> pg_backend_pid()`,
  );
  const all = (signal: NodeJS.Signals): void => {
    for (const { pid } of rows) process.kill(pid, signal);
  };
  let isSilent = true;
  const late = setTimeout(() => {
    isSilent = false;
    all('SIGCONT');
  }, seconds(30));
  all('SIGSTOP');
  await store.close();
  t.true(isSilent);
  clearTimeout(late);
  all('SIGCONT');
});

/** From its next answer that holds this word on, a line says nothing more. */
function silentFrom(proxy: CutProxy, word: string): void {
  proxy.said = (bytes) => {
    if (bytes.includes(word)) {
      proxy.mode = 'swallow';
      proxy.said = (later) => later;
    }
    return bytes;
  };
}

test.serial('a line that falls silent as it begins to listen is given up, and the next one hears', async (t) => {
  const { proxy, store } = await kit(t);
  let heard = 0;
  store.onChange(() => {
    heard += 1;
  });
  silentFrom(proxy, 'LISTEN\0');
  proxy.cut();
  await until(() => proxy.mode === 'swallow');
  // Whatever was asked then is lost by now.
  await pause(seconds(1));
  proxy.mode = 'forward';
  await until(() => heard > 0);
  t.pass();
});

test.serial('a database that falls silent while somebody begins to use it is told in words', async (t) => {
  const { url: direct } = await server.create();
  const proxy = await cutProxy(server.port);
  t.teardown(() => proxy.close());
  const url = new URL(direct);
  url.port = String(proxy.port);
  const limits = { ...LIMITS, start: seconds(3), longest: seconds(3) };
  const options = { url: url.href, now: Date.now, log: silent, limits };
  const told = { code: 'database_unusable', message: /127\.0\.0\.1:\d+ does not answer/ };

  silentFrom(proxy, 'shared');
  await t.throwsAsync(openPostgresStore(options), told);
  t.is(proxy.mode, 'swallow');

  proxy.mode = 'forward';
  const alone = await openDatabaseAlone({ ...options, named: '--to', mustExist: false });
  proxy.mode = 'swallow';
  await t.throwsAsync(alone.counts(), told);
  await alone.release();
});

test.serial('a database that falls silent midway ends a backup in words, and leaves no half file', async (t) => {
  const { name, query, url: direct } = await server.create();
  const proxy = await cutProxy(server.port);
  const url = new URL(direct);
  url.port = String(proxy.port);
  const limits = { ...LIMITS, step: seconds(3) };
  const store = await openPostgresStore({ url: url.href, now: Date.now, log: silent, limits });
  await query(`INSERT INTO postern.seen (id, version, record)
    SELECT n, n, '{"issuer":"i"}' FROM generate_series(1, 5000) n`);
  const folder = mkdtempSync(join(tmpdir(), 'postern-backup-'));
  t.teardown(async () => {
    proxy.mode = 'forward';
    await store.close();
    await proxy.close();
    rmSync(folder, { recursive: true, force: true });
  });
  let batches = 0;
  async function* untilSilent() {
    for await (const batch of store.rows()) {
      batches += 1;
      proxy.mode = 'swallow';
      yield batch;
    }
  }
  const about = { key: Buffer.alloc(32), takenAt: 0, issuer: 'i', engine: 'postgres' } as const;
  await t.throwsAsync(
    save(join(folder, 'backup'), writeBackup(untilSilent(), about), () => {}),
    {
      instanceOf: StoreUnavailable,
      message: 'the database said nothing for 3 s: not everything could be read',
    },
  );
  t.is(batches, 1);
  t.deepEqual(readdirSync(folder), []);
  const others = () =>
    query(`SELECT FROM pg_stat_activity WHERE datname = '${name}' AND state = 'idle in transaction'`);
  await until(async () => (await others()).rowCount === 0);
});

test.serial('a store that closes waits for a step of a sweep, not for all of it', async (t) => {
  const { store, database } = await kit(t);
  await database.query(`INSERT INTO postern.seen (id, version, expires_at, record)
    SELECT n, n, 1, '{"issuer":"i"}' FROM generate_series(1, 9000) n`);
  const sweeping = store.sweep(Date.now());
  await store.close();
  t.true((await sweeping) < 9000);
});

test.serial(
  'more asked at once than the connections can carry: late ones are refused in time, others answered',
  async (t) => {
    const { store, database } = await kit(t);
    await store.commit([{ put: 'grants', id: 'g', record: artifact() }]);
    const holding = database.query(
      `BEGIN; SELECT FROM postern.grants WHERE id = 'g' FOR UPDATE; SELECT pg_sleep(3); COMMIT`,
    );
    await until(() => sleeps(database));
    const began = performance.now();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) =>
        store.commit([{ put: 'grants', id: 'g', record: artifact({ consumedAt: i }) }]),
      ),
    );
    t.true(performance.now() - began < LIMIT);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') t.true(outcome.reason instanceof StoreUnavailable, String(outcome.reason));
    await holding;
    await recovers(t, store);
  },
);

test.serial(
  'the standby that has to confirm commits is gone: it is told, reads go on, and no connection is lost to each commit',
  async (t) => {
    const { store, database } = await kit(t);
    const confirmedBy = async (standby: string) => {
      await database.query(`ALTER SYSTEM SET synchronous_standby_names = '${standby}'`);
      await database.query('SELECT pg_reload_conf()');
      await until(
        async () =>
          (await database.query('SHOW synchronous_standby_names')).rows[0].synchronous_standby_names === standby,
      );
    };
    const hanging = async () =>
      (await database.query(`SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)).rowCount!;
    const commit = (id: string) => store.commit([{ put: 'grants', id, record: artifact() }]);
    await commit('before');
    await confirmedBy('nobody');
    try {
      await t.throwsAsync(commit('first'), { instanceOf: StoreUnavailable });
      t.like(await store.stats(), {
        writable: false,
        fault: 'the database answers reads and no commit: a synchronous standby may be gone, or its disk hang',
      });
      const before = await hanging();
      for (let round = 0; round < 2; round += 1) {
        const commits = Array.from({ length: 20 }, (_, i) => commit(`${round}/${i}`));
        for (const one of commits) await t.throwsAsync(one, { message: /no commit: a synchronous standby/ });
        t.truthy(await store.get('grants', 'before'));
      }
      t.true((await hanging()) <= before + 1);
    } finally {
      await confirmedBy('');
    }
    await until(async () => (await store.stats()).writable);
    await commit('after');
  },
);

test.serial('a stopped server: refused within 5 s, and back within 3 s once it runs', async (t) => {
  const { store } = await kit(t);
  await server.stop();
  await allUnavailable(t, store);
  await server.start();
  await recovers(t, store);
  t.is(await store.get('accounts', 'usr_1'), undefined);
});

test.serial(
  'a database that allows fewer connections than are wanted: those there are go round, and it is said once',
  async (t) => {
    const { name, url, query } = await server.create();
    const limited = Object.assign(new URL(url), { username: `few_${name}`, password: 'few' });
    await query(
      `CREATE ROLE few_${name} LOGIN PASSWORD 'few' CONNECTION LIMIT 4; ALTER DATABASE ${name} OWNER TO few_${name}`,
    );
    const said: [object, string][] = [];
    const log = { ...silent, warn: (about: object, what: string) => void said.push([about, what]) };
    const store = await openPostgresStore({ url: limited.href, now: Date.now, log });
    t.teardown(() => store.close());
    t.like(said, [[{ most: 11, allowed: 4 }]]);
    for (const round of [1, 2])
      await Promise.all(
        Array.from({ length: 300 }, async (_, i) => {
          await store.commit([{ put: 'guesses', id: `${round}/${i}`, record: guess(i) }]);
          t.truthy(await store.get('guesses', `${round}/${i}`));
        }),
      );
    t.is(said.length, 2);
    t.regex(said[1]![1], /no room for another connection/);
    // Nobody else has any of them now.
    await query(
      `ALTER ROLE few_${name} CONNECTION LIMIT 0; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'few_${name}'`,
    );
    // A read that met two of those that were ended says so: each of the four is met once.
    const stopping = 'the database is stopping';
    const read = async () => (await t.throwsAsync(store.get('guesses', '1/1'))).message;
    let words = await read();
    for (let met = 2; words === stopping && met < 4; met += 2) words = await read();
    t.is(words, 'the database has no connection left');
  },
);
