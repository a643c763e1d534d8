import test from 'ava';
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair } from 'jose';
import * as oidc from 'openid-client';
import { days } from '../../src/lib/index.ts';
import { authorize, discover, request, signIn } from '../support/client.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { UserAgent } from '../support/user-agent.ts';

let postern: Postern;
const API = 'https://files.example.com';
test.before(async () => {
  postern = await startPostern();
  await addPerson(postern);
  await postern.domain.resources.add({ uri: API, name: 'Files', scopes: ['files.read', 'files.write'] });
  await postern.domain.resources.add({ uri: 'https://secrets.example.com', scopes: ['x'], revocable: true });
});
test.after.always(() => postern.close());

const service = (more = {}) => addClient(postern, { type: 'service', redirectUris: [], resources: [API], ...more });

test('a service gets a JWT for its resource with the scopes it asked for', async (t) => {
  const config = await discover(postern, await service());
  const token = await oidc.clientCredentialsGrant(config, { scope: 'files.read', resource: API });
  const claims = decodeJwt(token.access_token);
  t.is(claims.aud, API);
  t.is(claims['scope'], 'files.read');
  t.is(claims.sub, claims['client_id'] as string);
  t.is(decodeProtectedHeader(token.access_token).typ, 'at+jwt');
  t.is(token.refresh_token, undefined);
});

test('asking for no resource gives the first of its own, and the default audience where it has none', async (t) => {
  t.is(decodeJwt((await oidc.clientCredentialsGrant(await discover(postern, await service()))).access_token).aud, API);
  const none = await discover(postern, await service({ resources: [] }));
  t.is(decodeJwt((await oidc.clientCredentialsGrant(none)).access_token).aud, `${postern.issuer}/api`);
});

test('a resource or a scope that is not its own is refused with the standard error', async (t) => {
  const config = await discover(postern, await service({ scopes: ['files.read'] }));
  const refused = async (parameters: Record<string, string>) =>
    (await t.throwsAsync<oidc.ResponseBodyError>(oidc.clientCredentialsGrant(config, parameters)))?.error;
  t.is(await refused({ resource: 'https://secrets.example.com' }), 'invalid_target');
  t.is(await refused({ resource: 'https://nowhere.example.com' }), 'invalid_target');
  t.is(await refused({ scope: 'files.write' }), 'invalid_scope');
  t.is(await refused({ scope: 'openid' }), 'invalid_scope');
});

test('a machine token writes nothing: it is told about while it lives, and cannot be revoked', async (t) => {
  const config = await discover(postern, await service());
  const token = await oidc.clientCredentialsGrant(config, { scope: 'files.read' });
  const told = await oidc.tokenIntrospection(config, token.access_token);
  t.true(told.active);
  t.is(told.aud, API);
  t.is(told.scope, 'files.read');
  t.is(told.sub, decodeJwt(token.access_token).sub, 'as the token itself says');
  const refused = await t.throwsAsync<oidc.ResponseBodyError>(oidc.tokenRevocation(config, token.access_token));
  t.is(refused?.error, 'unsupported_token_type');
  t.true((await oidc.tokenIntrospection(config, token.access_token)).active);
});

test('a machine token of a revocable resource is on record, and a revoked one is no longer active', async (t) => {
  const config = await discover(postern, await service({ resources: ['https://secrets.example.com'] }));
  const token = await oidc.clientCredentialsGrant(config);
  t.like(await oidc.tokenIntrospection(config, token.access_token), {
    active: true,
    sub: config.clientMetadata().client_id,
  });
  await oidc.tokenRevocation(config, token.access_token);
  t.false((await oidc.tokenIntrospection(config, token.access_token)).active);
});

test('only the client of a token and the service it is for may introspect it', async (t) => {
  const web = await addClient(postern, { resources: [API] });
  const { tokens } = await authorize(postern, web, { scope: 'openid files.read', resource: API });
  const active = async (client: { id: string; secret?: string | undefined }) =>
    (await oidc.tokenIntrospection(await discover(postern, client), tokens.access_token)).active;
  t.true(await active(web));
  t.true(await active(await service()));
  t.false(await active(await service({ resources: ['https://secrets.example.com'] })));
  t.false(await active(await addClient(postern, { resources: [API] })));
  t.false((await oidc.tokenIntrospection(await discover(postern, await service()), tokens.refresh_token!)).active);
});

test('a secret that an earlier Postern kept beside the new one, with one time for it, goes on being good', async (t) => {
  const { clients } = postern.domain;
  const first = await service();
  const { secret } = await clients.rotateSecret(first.id, { keepOldFor: days(1) });
  const row = await postern.store.get('clients', first.id);
  const [until] = [row!.record.oldSecretsUntil!].flat();
  await postern.store.commit([{ put: 'clients', id: first.id, record: { ...row!.record, oldSecretsUntil: until! } }]);
  for (const each of [first, { ...first, secret }]) {
    const tokens = await oidc.clientCredentialsGrant(await discover(postern, each), { resource: API });
    t.truthy(tokens.access_token);
  }
  await clients.rotateSecret(first.id, { keepOldFor: days(1) });
  t.true(clients.verifySecret((await clients.get(first.id))!, first.secret!), 'nor does a third end it');
});

test('private_key_jwt: an assertion is good once, whoever replays it at the same moment', async (t) => {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  const client = await service({ jwks: { keys: [jwk] } });
  let assertion = '';
  const config = await discover(postern, client, oidc.PrivateKeyJwt({ key: privateKey, kid: 'k1' }));
  config[oidc.customFetch] = (url, options) => {
    assertion = (options.body as URLSearchParams | undefined)?.get?.('client_assertion') ?? assertion;
    return fetch(url, options as RequestInit);
  };
  t.truthy((await oidc.clientCredentialsGrant(config)).access_token);
  for (let trial = 0; trial < 10; trial++) {
    // Caught on its way, never sent: 20 copies race for it.
    config[oidc.customFetch] = async (_url, options) => {
      assertion = (options.body as URLSearchParams).get('client_assertion') ?? '';
      return Response.json({ error: 'invalid_request' }, { status: 400 });
    };
    await t.throwsAsync(oidc.clientCredentialsGrant(config));
    const send = () =>
      fetch(`${postern.issuer}/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: assertion,
        }),
      });
    const answers = await Promise.all(Array.from({ length: 20 }, send));
    t.is(answers.filter(({ status }) => status === 200).length, 1);
    t.true(answers.every(({ status }) => status === 200 || status === 401));
  }
});

test('the password grant says which scope was granted, and of none it says nothing: there is no empty scope', async (t) => {
  const config = await discover(postern, await addClient(postern, { passwordGrant: true }));
  const asked = { username: 'ada@example.com', password: PASSWORD };
  t.is((await oidc.genericGrantRequest(config, 'password', { ...asked, scope: 'openid' })).scope, 'openid');
  const none = await oidc.genericGrantRequest(config, 'password', asked);
  t.false('scope' in none);
  t.false('scope' in (await oidc.refreshTokenGrant(config, none.refresh_token!)));
});

test('of 20 parallel redemptions of one code exactly one succeeds', async (t) => {
  const client = await addClient(postern, { firstParty: true });
  for (let trial = 0; trial < 10; trial++) {
    const config = await discover(postern, client);
    const { asked, left } = await authorizeOnly(client);
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      code: left.searchParams.get('code')!,
      redirect_uri: 'http://localhost:4999/callback',
      code_verifier: asked.verifier,
      client_id: client.id,
      client_secret: client.secret!,
    });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => fetch(config.serverMetadata().token_endpoint!, { method: 'POST', body })),
    );
    t.is(answers.filter(({ status }) => status === 200).length, 1);
    t.true(answers.every(({ status }) => status === 200 || status === 400));
  }
});

test('a code used a second time is refused and ends what the first use got', async (t) => {
  const client = await addClient(postern, { firstParty: true });
  const { asked, left } = await authorizeOnly(client);
  const config = await discover(postern, client);
  const redeem = () =>
    oidc.authorizationCodeGrant(config, left, {
      pkceCodeVerifier: asked.verifier,
      expectedState: asked.state,
      expectedNonce: asked.nonce,
    });
  const tokens = await redeem();
  await t.throwsAsync(redeem());
  t.false((await oidc.tokenIntrospection(config, tokens.access_token)).active);
  await t.throwsAsync(oidc.refreshTokenGrant(config, tokens.refresh_token!));
});

test('the password grant gives access, refresh and ID token, only to a client it was given to', async (t) => {
  const config = await discover(postern, await addClient(postern, { passwordGrant: true, resources: [API] }));
  const ask = (c: oidc.Configuration, more = {}) =>
    oidc.genericGrantRequest(c, 'password', {
      username: 'ada@example.com',
      password: PASSWORD,
      scope: 'openid email files.read',
      ...more,
    });
  const tokens = await ask(config);
  t.is(decodeJwt(tokens.access_token).aud, API);
  t.is(decodeJwt(tokens.access_token)['scope'], 'openid email files.read');
  t.is(decodeJwt(tokens.id_token!)['email'], 'ada@example.com');
  t.truthy((await oidc.refreshTokenGrant(config, tokens.refresh_token!)).access_token);
  t.is((await oidc.fetchUserInfo(config, tokens.access_token, oidc.skipSubjectCheck)).email, 'ada@example.com');
  const refused = async (c: oidc.Configuration, more = {}) =>
    (await t.throwsAsync<oidc.ResponseBodyError>(ask(c, more)))?.error;
  t.is(await refused(config, { password: 'wrong' }), 'invalid_grant');
  t.is(await refused(config, { username: 'nobody@example.com' }), 'invalid_grant');
  t.is(await refused(config, { scope: 'files.delete' }), 'invalid_scope');
  t.is(await refused(config, { resource: 'https://secrets.example.com' }), 'invalid_target');
  t.is(await refused(await discover(postern, await addClient(postern))), 'unauthorized_client');
});

async function authorizeOnly(client: { id: string; secret?: string | undefined }) {
  const agent = new UserAgent(postern.issuer);
  const asked = await request(await discover(postern, client));
  const answer = await signIn(agent, await agent.get(asked.url));
  return { asked, left: answer.left! };
}
