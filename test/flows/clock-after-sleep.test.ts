import test from 'ava';
import * as oidc from 'openid-client';
import { authorize } from '../support/client.ts';
import { pass, setBack } from '../support/clock.ts';
import { addAuthenticator, assertionTwice } from '../support/clocks-apart.ts';
import { addClient, addPerson, type Postern, startPostern } from '../support/postern.ts';

/** The machine slept for eight hours: the wall clock is that far ahead of what the server has lived through. */
let postern: Postern;
test.before(async () => {
  postern = await startPostern();
  setBack(-8 * 3_600_000);
  await addPerson(postern);
});
test.after.always(() => postern.close());

test.serial('people sign in and applications refresh', async (t) => {
  const { config, tokens } = await authorize(postern, await addClient(postern));
  t.truthy((await oidc.refreshTokenGrant(config, tokens.refresh_token!)).access_token);
});

test.serial('a client that proves itself by its key is taken, and its assertion once', async (t) => {
  t.deepEqual(await assertionTwice(postern), [200, 401]);
});

test.serial('whoever adds an authenticator app types the code it shows', async (t) => {
  const { page } = await addAuthenticator(postern);
  t.is(page, 'recovery-codes');
});

test.serial('what is sensitive asks for a fresh proof ten minutes after the last', async (t) => {
  const { email } = await addPerson(postern, 'joan@example.com');
  const { agent } = await authorize(postern, await addClient(postern), {}, undefined, email);
  t.is((await agent.get('/account/password')).page, 'account-password');
  pass(11 * 60_000);
  t.is((await agent.get('/account/password')).page, 'login');
});
