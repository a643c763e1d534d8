import test from 'ava';
import * as oidc from 'openid-client';
import { authorize, discover, redeem, request } from '../support/client.ts';
import { pass, setBack } from '../support/clock.ts';
import { addAuthenticator, assertionTwice } from '../support/clocks-apart.ts';
import { addClient, addPerson, type Postern, startPostern } from '../support/postern.ts';
import { connectDevice } from '../support/television.ts';

/** The machine came up with its clock an hour ahead, and was told the time when the server served already. */
let postern: Postern;
test.before(async () => {
  postern = await startPostern();
  await addPerson(postern);
  setBack(3_600_000);
});
test.after.always(() => postern.close());

test.serial('people sign in, applications refresh, APIs ask, and the account opens', async (t) => {
  const client = await addClient(postern);
  const { agent, config, tokens } = await authorize(postern, client);
  t.true((await oidc.tokenIntrospection(config, tokens.access_token)).active);
  const next = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
  t.is((await oidc.fetchUserInfo(config, next.access_token, tokens.claims()!.sub)).email, 'ada@example.com');
  t.is((await agent.get('/account/factors')).page, 'account-factors');
  const silent = await agent.get((await request(config, { prompt: 'none' })).url);
  t.truthy(silent.left?.searchParams.get('code'));
  const { events } = await postern.domain.audit.listForAccount(tokens.claims()!.sub);
  t.is(events.filter(({ type }) => type === 'session.started').length, 1);
  const machine = await discover(postern, await addClient(postern, { type: 'service', redirectUris: [] }));
  const { access_token: own } = await oidc.clientCredentialsGrant(machine);
  t.true((await oidc.tokenIntrospection(machine, own)).active);
});

test.serial('a code and a token are good no longer than they say', async (t) => {
  const client = await addClient(postern, { firstParty: true });
  const { agent, config, tokens } = await authorize(postern, client);
  const asked = await request(config);
  const { left } = await agent.get(asked.url);
  pass(76_000);
  await t.throwsAsync(redeem(asked, left!), { message: /./ });
  pass(15 * 60_000);
  t.false((await oidc.tokenIntrospection(config, tokens.access_token)).active);
});

test.serial('a device is signed in to by its code, which is good for fifteen minutes', async (t) => {
  const television = await addClient(postern, { type: 'native', redirectUris: [], deviceGrant: true });
  const { agent, tokens } = await connectDevice(postern, television);
  t.truthy(tokens.refresh_token);
  const shown = await oidc.initiateDeviceAuthorization(await discover(postern, television), { scope: 'openid' });
  pass(15 * 60_000 - 5000);
  const type = async () => agent.submit(await agent.get('/device'), { user_code: shown.user_code });
  t.is((await type()).page, 'consent');
  pass(10_000);
  t.is((await type()).status, 400);
});

test.serial('an assertion that was used is refused when it comes again', async (t) => {
  t.deepEqual(await assertionTwice(postern), [200, 401]);
});

test.serial('whoever adds an authenticator app types the code it shows', async (t) => {
  const { id, page } = await addAuthenticator(postern);
  t.is(page, 'recovery-codes');
  t.true(await postern.domain.factors.hasSecond(id));
});

test.serial('a restart changes nothing of it', async (t) => {
  postern = await postern.restart();
  const { config, tokens } = await authorize(postern, await addClient(postern));
  t.truthy((await oidc.refreshTokenGrant(config, tokens.refresh_token!)).access_token);
});
