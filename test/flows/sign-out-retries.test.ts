import test from 'ava';
import { seconds } from '../../src/lib/index.ts';
import { authorize } from '../support/client.ts';
import { pass } from '../support/clock.ts';
import { addClient, addPerson, startPostern } from '../support/postern.ts';
import { readLogoutToken, startRelyingParty } from '../support/relying-party.ts';
import { until } from '../support/until.ts';
import { OUTBOUND } from '../support/upstreams.ts';

// Alone in its file: it moves the clock.
test('an application that is down is told when it is back, by a fresh token, and after a restart too', async (t) => {
  await using party = await startRelyingParty();
  party.status = 503;
  const before = await startPostern({ env: OUTBOUND });
  await addPerson(before);
  const client = await addClient(before, { firstParty: true, backchannelLogoutUri: party.uri });
  const { agent } = await authorize(before, client);
  await agent.submit(await agent.get('/logout'), {}, { name: 'logout', value: 'yes' });
  await until(() => party.told.length === 1);
  const after = await before.restart();
  pass(seconds(15));
  await until(() => party.told.length === 2);
  party.status = 200;
  // The pauses grow.
  pass(seconds(40));
  await until(() => party.told.length === 3);
  await until(async () => (await after.store.stats()).rows.deliveries === 0);
  const tokens = await Promise.all(party.told.map((token) => readLogoutToken(after.issuer, client.id, token)));
  t.is(new Set(tokens.map(({ jti }) => jti)).size, 3);
  t.is(new Set(tokens.map(({ sid }) => sid)).size, 1);
  t.true(tokens[0]!.exp! < tokens[2]!.exp!);
  await after.close();
});
