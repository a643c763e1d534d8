import test from 'ava';
import { testDomain } from '../support/domain.ts';
import { issueTo } from '../support/issued.ts';

const pair = { accountId: 'usr_1', clientId: 'cli_1' };

test('twenty tabs allowing at once are all remembered', async (t) => {
  const { domain } = testDomain();
  const scopes = Array.from({ length: 20 }, (_, i) => `scope${i}`);
  await Promise.all(scopes.map((scope) => domain.consents.remember({ ...pair, scopes: [scope] })));
  t.deepEqual((await domain.consents.find('usr_1', 'cli_1'))?.scopes.toSorted(), scopes.toSorted());
});

test('what is allowed later adds to what was allowed before', async (t) => {
  const { domain, time } = testDomain();
  const resources = { 'https://a.example': ['read'] };
  const first = await domain.consents.remember({ ...pair, scopes: ['openid'], resources });
  time.at += 1000;
  const more = { 'https://a.example': ['write', 'read'], 'https://b.example': ['x'] };
  t.deepEqual(await domain.consents.remember({ ...pair, scopes: ['openid', 'email'], resources: more }), {
    ...pair,
    scopes: ['openid', 'email'],
    resources: { 'https://a.example': ['read', 'write'], 'https://b.example': ['x'] },
    createdAt: first.createdAt,
    updatedAt: first.createdAt + 1000,
  });
});

test('withdrawing ends what that client holds for that person, and nothing else', async (t) => {
  const { domain, store } = testDomain();
  for (const [accountId, clientId] of [
    ['usr_1', 'cli_1'],
    ['usr_1', 'cli_2'],
    ['usr_2', 'cli_1'],
  ] as const) {
    await domain.consents.remember({ accountId, clientId, scopes: ['openid'] });
    await issueTo(store, accountId, clientId);
  }
  await domain.consents.withdraw('usr_1', 'cli_1');
  t.is(await domain.consents.find('usr_1', 'cli_1'), undefined);
  t.deepEqual(
    (await domain.consents.allForAccount('usr_1')).map(({ clientId }) => clientId),
    ['cli_2'],
  );
  const { rows } = await store.stats();
  for (const table of ['grants', 'access_tokens', 'refresh_tokens', 'consents'] as const) t.is(rows[table], 2, table);
});

test('ending one grant ends all that was issued under it, and what was never issued is no error', async (t) => {
  const { domain, store } = testDomain();
  const grantId = await issueTo(store, 'usr_1', 'cli_1');
  await issueTo(store, 'usr_1', 'cli_1');
  t.is(await domain.sessions.endGrant(grantId), 4);
  t.is(await domain.sessions.endGrant(grantId), 0);
  const { rows } = await store.stats();
  t.deepEqual(
    [rows.grants, rows.authorization_codes, rows.access_tokens, rows.refresh_tokens, rows.sessions],
    [1, 1, 1, 1, 2],
  );
});
