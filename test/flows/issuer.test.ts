/** As which issuer a store is served: a change of it is told at the start, on files and on PostgreSQL. */
import test from 'ava';
import { silent } from '../../src/lib/index.ts';
import { startPostern } from '../support/postern.ts';
import { type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';
import { until } from '../support/until.ts';

let databases: DatabaseServer;
test.before(async () => {
  databases = await startDatabaseServer();
});
test.after.always(() => databases?.remove());

const OLD = 'https://id.example.com';
const NEW = 'https://login.example.org';

interface Warning {
  readonly issuer?: string;
  readonly before?: string;
  readonly other?: string;
  readonly since?: string;
}

/** Notes what is warned about issuers. */
function listening() {
  const warnings: Warning[] = [];
  const warn = (details: Warning) => void ((details.before || details.other) && warnings.push(details));
  return { warnings, log: { ...silent, warn } };
}

for (const engine of ['files', 'PostgreSQL'])
  test(`${engine}: a start as another issuer than the last one warns, naming both; as the same one it does not`, async (t) => {
    const env = engine === 'PostgreSQL' ? { POSTERN_DATABASE_URL: (await databases.create()).url } : {};
    const { warnings, log } = listening();
    const first = await startPostern({ env: { ...env, POSTERN_ISSUER: OLD }, log });
    const same = await first.restart();
    t.deepEqual(warnings, []);
    const other = await same.restart(undefined, { POSTERN_ISSUER: NEW });
    t.like(warnings, [{ issuer: NEW, before: OLD }]);
    t.false(Number.isNaN(Date.parse(warnings[0]!.since!)));
    const again = await other.restart(undefined, { POSTERN_ISSUER: NEW });
    t.is(warnings.length, 1);
    await again.close();
  });

test('of servers that start together on one database as two issuers, whoever comes second warns', async (t) => {
  const env = { POSTERN_DATABASE_URL: (await databases.create()).url, POSTERN_MASTER_KEY: 'k'.repeat(43) };
  const { warnings, log } = listening();
  const issuers = [OLD, NEW, OLD, NEW];
  const servers = await Promise.all(
    issuers.map((issuer) => startPostern({ env: { ...env, POSTERN_ISSUER: issuer }, log })),
  );
  t.not(warnings.length, 0);
  for (const { issuer, before, other } of warnings) t.deepEqual([issuer, before ?? other].toSorted(), [OLD, NEW]);
  await Promise.all(servers.map((server) => server.close()));
});

test('a server is told when another begins to serve its database as another issuer, and once, however often that starts', async (t) => {
  const env = { POSTERN_DATABASE_URL: (await databases.create()).url, POSTERN_MASTER_KEY: 'k'.repeat(43) };
  const first = listening();
  const old = await startPostern({ env: { ...env, POSTERN_ISSUER: OLD }, log: first.log });
  const same = await startPostern({ env: { ...env, POSTERN_ISSUER: OLD }, log: first.log });
  await same.close();
  const second = listening();
  const other = await startPostern({ env: { ...env, POSTERN_ISSUER: NEW }, log: second.log });
  await until(() => first.warnings.length > 0);
  t.like(first.warnings, [{ issuer: OLD, other: NEW, before: undefined }]);
  t.false(Number.isNaN(Date.parse(first.warnings[0]!.since!)));

  const again = await other.restart(undefined, { POSTERN_ISSUER: NEW });
  const oldAgain = await startPostern({ env: { ...env, POSTERN_ISSUER: OLD } });
  await until(() => second.warnings.length === 2);
  t.like(second.warnings, [
    { issuer: NEW, before: OLD },
    { issuer: NEW, other: OLD },
  ]);
  t.is(first.warnings.length, 1);
  await Promise.all([old, again, oldAgain].map((server) => server.close()));
});

test('an issuer that has the number of a port of its own is another each time, and nobody is warned', async (t) => {
  const { warnings, log } = listening();
  const first = await startPostern({ log });
  const second = await first.restart(undefined, { POSTERN_PORT: '0' });
  t.not(second.issuer, first.issuer);
  t.deepEqual(warnings, []);
  await second.close();
});
