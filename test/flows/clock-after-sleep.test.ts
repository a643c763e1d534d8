import test from 'ava';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import { AuthenticatorApp } from '../support/authenticator-app.ts';
import { authorize } from '../support/client.ts';
import { pass, setBack } from '../support/clock.ts';
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
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  const { id } = await addClient(postern, { type: 'service', redirectUris: [], jwks: { keys: [jwk] } });
  const at = Math.floor(Date.now() / 1000);
  const assertion = await new SignJWT({ iss: id, sub: id, aud: postern.issuer, jti: 'once', iat: at, exp: at + 60 })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .sign(privateKey);
  const ask = async () => {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    });
    return (await fetch(`${postern.url}/token`, { method: 'POST', body })).status;
  };
  t.deepEqual([await ask(), await ask()], [200, 401]);
});

test.serial('whoever adds an authenticator app types the code it shows', async (t) => {
  const { email } = await addPerson(postern, 'grace@example.com');
  const { agent } = await authorize(postern, await addClient(postern), {}, undefined, email);
  const page = await agent.get('/account/totp');
  const added = await agent.submit(
    page,
    { code: AuthenticatorApp.scan(page).fresh() },
    { name: 'decision', value: 'add' },
  );
  t.is(added.page, 'recovery-codes');
});

test.serial('what is sensitive asks for a fresh proof ten minutes after the last', async (t) => {
  const { email } = await addPerson(postern, 'joan@example.com');
  const { agent } = await authorize(postern, await addClient(postern), {}, undefined, email);
  t.is((await agent.get('/account/password')).page, 'account-password');
  pass(11 * 60_000);
  t.is((await agent.get('/account/password')).page, 'login');
});
