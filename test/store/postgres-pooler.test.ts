/** A pooler between a server and its database: by session it is not noticed, by transaction it is refused. */
import test, { type ExecutionContext } from 'ava';
import { silent } from '../../src/lib/index.ts';
import { openAlone } from '../../src/store/open.ts';
import { openPostgresStore } from '../../src/store/postgres/index.ts';
import { type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';
import { transactionPooler } from '../support/transaction-pooler.ts';
import { until } from '../support/until.ts';

let server: DatabaseServer;
test.before(async () => {
  server = await startDatabaseServer();
});
test.after.always(() => server?.remove());

type Way = Pick<Parameters<typeof transactionPooler>[0], 'mode' | 'next'>;

/** An empty database, and its URL through a pooler. */
async function pooled(t: ExecutionContext, way: Way) {
  const { url, query } = await server.create();
  const through = new URL(url);
  const pooler = await transactionPooler({
    target: server.port,
    password: decodeURIComponent(through.password),
    ...way,
  });
  t.teardown(() => pooler.close());
  through.port = String(pooler.port);
  return { pooler, url: through.href, query };
}

const open = (url: string) => openPostgresStore({ url, now: Date.now, log: silent });
const REFUSED = { code: 'sessions_pooled', message: /pool by session \(PgBouncer: pool_mode = session\)/ };

for (const next of ['last', 'longest-idle'] as const)
  test(`a pooler that gives each transaction the session that was used ${next === 'last' ? 'last' : 'longest ago'} is refused at the start, and nothing was made`, async (t) => {
    const { url, query } = await pooled(t, { mode: 'transaction', next });
    await t.throwsAsync(open(url), REFUSED);
    // With sessions at hand that others have used before.
    await t.throwsAsync(open(url), REFUSED);
    await t.throwsAsync(
      openAlone({ url, named: '--to' }, { log: silent, pid: 1, mustExist: false }),
      REFUSED,
      'a store to be carried away or filled',
    );
    t.is((await query(`SELECT FROM pg_namespace WHERE nspname = 'postern'`)).rowCount, 0);
    const locks = await query(`SELECT FROM pg_locks JOIN pg_database d ON d.oid = database
      WHERE locktype = 'advisory' AND datname = current_database()`);
    t.is(locks.rowCount, 0, 'no lock stays in the pool');
  });

test('a store opens through a pooler that pools by session, and hears of changes', async (t) => {
  const { url } = await pooled(t, { mode: 'session' });
  const [store, other] = [await open(url), await open(url)];
  const heard = new Promise<string>((resolve) => other.onChange(resolve));
  await store.commit([{ put: 'resources', id: 'https://api', record: { scopes: [], revocable: false, createdAt: 0 } }]);
  t.is(await heard, 'resources');
  t.is((await other.get('resources', 'https://api'))?.record.createdAt, 0);
  await Promise.all([store.close(), other.close()]);
});

test('a pooler that is told to pool by transaction under a server: nothing is believed to be unchanged, and the log says why', async (t) => {
  const { pooler, url } = await pooled(t, { mode: 'session' });
  const warned: string[] = [];
  const log = { ...silent, warn: ({ err }: { err?: { code?: string } }) => void warned.push(err?.code ?? '') };
  const [store, other] = [await openPostgresStore({ url, now: Date.now, log }), await open(url)];
  const put = (createdAt: number) =>
    other.commit([{ put: 'resources', id: 'https://api', record: { scopes: [], revocable: false, createdAt } }]);
  await put(1);
  t.is((await store.get('resources', 'https://api'))?.record.createdAt, 1);
  pooler.mode = 'transaction';
  pooler.cut();
  await until(() => warned.includes('sessions_pooled'));
  await put(2);
  t.is((await store.get('resources', 'https://api'))?.record.createdAt, 2);
  await Promise.all([store.close(), other.close()]);
});
