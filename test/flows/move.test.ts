/** A server that outgrew its files moves to PostgreSQL, and back: nobody who is signed in notices. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as oidc from 'openid-client';
import { readSettings } from '../../src/config/index.ts';
import { newSecret, sha256, silent } from '../../src/lib/index.ts';
import { startServer } from '../../src/server.ts';
import type { Store } from '../../src/store/index.ts';
import { say } from '../support/cli.ts';
import { authorize, redeem, request } from '../support/client.ts';
import { addClient, addPerson, type Postern, startPostern } from '../support/postern.ts';
import { type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';

/** However long the moves take on a busy machine. */
const PATIENT = { POSTERN_TOKENS_REFRESH_RETRY: '1h', POSTERN_TOKENS_CODE: '1h', POSTERN_TOKENS_ACCESS: '1h' };

/** What stands beside the people of the test. */
const ROWS = 100_000;

let databases: DatabaseServer;
test.before(async () => {
  databases = await startDatabaseServer();
});
test.after.always(() => databases?.remove());

function newFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-moved-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Other people's grants and tokens, as long as real ones. */
async function fill(store: Store, rows: number): Promise<void> {
  const sealed = 'x'.repeat(400);
  const id = () => sha256(newSecret());
  for (let done = 0; done < rows; done += 2000)
    await Promise.all(
      Array.from({ length: 500 }, (_, i) => {
        const record = { sealed, accountId: `usr_${done + i}`, clientId: 'cli_x', grantId: id() };
        return store.commit([
          { put: 'grants', id: id(), record },
          { put: 'access_tokens', id: id(), record, expiresAt: Date.now() + 3_600_000 },
          { put: 'refresh_tokens', id: id(), record },
          { put: 'sessions', id: id(), record: { sealed, accountId: record.accountId, uid: id() } },
        ]);
      }),
    );
}

/** Somebody with a browser, an application's tokens, and an authorization that is just under way. */
async function somebody(server: Postern) {
  await addPerson(server);
  const client = await addClient(server);
  const { agent, config, tokens, asked, left } = await authorize(server, client);
  const underWay = await request(config);
  const { left: code } = await agent.get(underWay.url);
  return { agent, config, tokens, used: { asked, left }, unused: { asked: underWay, left: code! } };
}

type Somebody = Awaited<ReturnType<typeof somebody>>;

/** They are signed in, and their token is good. */
async function goesOn(t: ExecutionContext, { agent, config, tokens }: Pick<Somebody, 'agent' | 'config' | 'tokens'>) {
  t.truthy((await agent.get((await request(config)).url)).left, 'asked to sign in again');
  t.true((await oidc.tokenIntrospection(config, tokens.access_token)).active);
}

test.serial(
  '100,000 rows go to PostgreSQL and back; people stay signed in, refresh tokens go on, what was used stays used',
  async (t) => {
    const start = await startPostern({ env: PATIENT });
    const keys = join(start.folder, 'keys');
    const before = await somebody(start);
    const retried = await oidc.refreshTokenGrant(before.config, before.tokens.refresh_token!);
    await fill(start.store, ROWS);

    const { url } = await databases.create();
    const here = { POSTERN_KEYS: keys, POSTERN_DATA: join(start.folder, 'data') };
    let moved: Record<string, unknown> = {};
    let began = 0;
    const onPostgres = await start.restart(
      async () => {
        began = performance.now();
        const said = await say(here, 'store', 'migrate', '--to', url, '--json');
        t.is(said.code, 0, said.notes.join('\n'));
        moved = said.json;
      },
      { POSTERN_DATABASE_URL: url },
    );
    t.log(`${moved['total']} rows to PostgreSQL in ${Math.round(performance.now() - began)} ms`);
    t.true((moved['total'] as number) > ROWS);
    t.is((await onPostgres.store.stats()).engine, 'postgres');
    // The answer that was lost on the way is given again.
    const again = await oidc.refreshTokenGrant(before.config, before.tokens.refresh_token!);
    t.is(again.refresh_token, retried.refresh_token);
    const { unused } = before;
    t.truthy((await redeem(unused.asked, unused.left)).access_token);
    await goesOn(t, { ...before, tokens: retried });
    const newest = await oidc.refreshTokenGrant(before.config, retried.refresh_token!);

    await t.throwsAsync(
      () =>
        startServer({
          settings: readSettings({ ...here, POSTERN_PORT: '0', POSTERN_OPS_PORT: '0' }),
          log: silent,
          pid: process.pid,
        }),
      {
        code: 'store_moved',
      },
    );

    const folder = newFolder(t);
    const there = { POSTERN_KEYS: keys, POSTERN_DATABASE_URL: url };
    const back = await onPostgres.restart(
      async () => {
        const said = await say(there, 'store', 'migrate', '--to', `file:${join(folder, 'data')}`, '--json');
        t.is(said.code, 0, said.notes.join('\n'));
        moved = said.json;
      },
      { POSTERN_DATABASE_URL: '', POSTERN_DATA: join(folder, 'data') },
    );
    t.teardown(() => back.close());
    t.true((moved['total'] as number) > ROWS);
    t.is((await back.store.stats()).engine, 'file');
    await goesOn(t, { ...before, tokens: newest });
    t.truthy((await oidc.refreshTokenGrant(before.config, newest.refresh_token!)).access_token);
    const spent = await redeem(before.used.asked, before.used.left).catch((error) => error);
    t.is(spent.error, 'invalid_grant', 'a code that was used before both moves');
  },
);
