/** Who may use the operators' API, and who is kept out, each for its reason. */

import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request as begun, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import { ROUTES, scopeOf } from '../../src/admin/api/routes.ts';
import { days } from '../../src/lib/index.ts';
import { authorize, discover, redeem, request, signIn } from '../support/client.ts';
import { pass } from '../support/clock.ts';
import { addClient, addPerson, CALLBACK, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { giveApp } from '../support/second-factor.ts';
import { changed, kept } from '../support/tables.ts';
import { UserAgent } from '../support/user-agent.ts';
import { type Asking, addRobot, apiOf, ask, machineToken, openDoor, operating, type Told } from './operator.ts';

async function serving(t: ExecutionContext, env: Record<string, string> = {}): Promise<Postern> {
  const postern = await startPostern({ env });
  t.teardown(() => postern.close());
  return postern;
}

const operator = ({ domain }: Postern, email = 'ada@example.com') =>
  domain.accounts.add({ email, name: 'Ada', password: PASSWORD, admin: true });

/** An operator's own application, in which people sign in. */
const console_ = (postern: Postern) => addClient(postern, { firstParty: true, resources: [apiOf(postern)] });

const personal = (postern: Postern, client: Awaited<ReturnType<typeof console_>>, email?: string) =>
  authorize(
    postern,
    client,
    { scope: 'openid read write', resource: apiOf(postern) },
    new UserAgent(postern.issuer),
    email,
  );

interface Kept {
  readonly status: number;
  readonly error: string;
  /** In the challenge. */
  readonly said?: RegExp;
}

const OUT: Kept = { status: 401, error: 'invalid_token', said: /^(Bearer|DPoP) .*error="invalid_token"/ };

async function keptOut(t: ExecutionContext, postern: Postern, why: string, asking: Asking, expected: Kept = OUT) {
  const { status, told, headers } = await ask(postern, 'GET /users', asking);
  t.is(status, expected.status, why);
  t.is(told.error, expected.error, why);
  t.is(headers.get('cache-control'), 'no-store', why);
  if (expected.said) t.regex(headers.get('www-authenticate') ?? '', expected.said, why);
}

const letIn = async (t: ExecutionContext, postern: Postern, token: string) =>
  t.is((await ask(postern, 'GET /users', { token })).status, 200);

test('the door is shut as long as nobody registered the API: no application gets a token for it', async (t) => {
  const postern = await serving(t);
  await t.throwsAsync(addRobot(postern), { message: /no registered resource/ });
  const { client, secret } = await postern.domain.clients.add({ name: 'x', type: 'service' });
  const error = await t.throwsAsync<oidc.ResponseBodyError>(machineToken(postern, { id: client.id, secret }));
  t.is(error?.error, 'invalid_target');
});

test('without a token it is said what is needed, and not that anything was wrong', async (t) => {
  const postern = await serving(t);
  const { token } = await operating(postern);
  const none = {
    status: 401,
    error: 'invalid_token',
    said: /^Bearer realm="[^"]+", DPoP realm="[^"]+", algs="[^"]+"$/,
  };
  await keptOut(t, postern, 'no token', {}, none);
  await keptOut(t, postern, 'a cookie alone', { headers: { cookie: `session=${token}; access_token=${token}` } }, none);
  await keptOut(t, postern, 'Basic', { headers: { authorization: 'Basic eDp5' } }, none);
  t.is((await ask(postern, `GET /users?access_token=${token}`)).status, 401, 'in the URL');
});

test('a browser that is signed in as an operator is nobody here', async (t) => {
  const postern = await serving(t);
  await openDoor(postern);
  await operator(postern);
  const { agent } = await personal(postern, await console_(postern));
  const answer = await agent.get(`${apiOf(postern)}/users`);
  t.is(answer.status, 401);
});

test('a token of another audience, another kind, another issuer or no kind is none', async (t) => {
  const postern = await serving(t);
  await openDoor(postern);
  await operator(postern);
  await postern.domain.resources.add({ uri: 'https://other.example', scopes: ['read', 'write'], revocable: true });
  const robot = await addRobot(postern, { resources: [apiOf(postern), 'https://other.example'] });
  const config = await discover(postern, robot);
  const other = await oidc.clientCredentialsGrant(config, { scope: 'read write', resource: 'https://other.example' });
  await keptOut(t, postern, 'another audience', { token: other.access_token });

  const { tokens } = await personal(postern, await console_(postern));
  await letIn(t, postern, tokens.access_token);
  await keptOut(t, postern, 'an ID token', { token: tokens.id_token });
  await keptOut(t, postern, 'a refresh token', { token: tokens.refresh_token });
  await keptOut(t, postern, 'nonsense', { token: 'nonsense' });
  const [head, , signature] = tokens.access_token.split('.');
  const changedClaims = Buffer.from(JSON.stringify({ aud: apiOf(postern), sub: 'usr_x', jti: 'x' })).toString(
    'base64url',
  );
  await keptOut(t, postern, 'a changed one', { token: `${head}.${changedClaims}.${signature}` });
  const elsewhere = await serving(t);
  const { token } = await operating(elsewhere);
  await keptOut(t, postern, 'another server', { token });
});

test('what was taken away is gone with the next request: token, client, resource, leave, key', async (t) => {
  const postern = await serving(t);
  const { domain } = postern;
  const { robot, token } = await operating(postern);
  const again = () => machineToken(postern, robot);
  await letIn(t, postern, token);

  await oidc.tokenRevocation(await discover(postern, robot), token);
  await keptOut(t, postern, 'revoked', { token });

  const lent = await again();
  await domain.clients.update(robot.id, { resources: [] });
  await keptOut(t, postern, 'the API was taken from the client', { token: lent });
  await domain.clients.update(robot.id, { resources: [apiOf(postern)] });
  await letIn(t, postern, lent);

  await domain.clients.update(robot.id, { scopes: ['write'] });
  const scoped = { status: 403, error: 'insufficient_scope', said: /scope="read"/ };
  await keptOut(t, postern, 'the scope was taken from the client', { token: lent }, scoped);
  await domain.clients.update(robot.id, { scopes: [] });
  await domain.resources.update(apiOf(postern), { scopes: ['write'] });
  await keptOut(t, postern, 'the scope was taken from the API', { token: lent }, scoped);
  await domain.resources.update(apiOf(postern), { scopes: ['read', 'write'] });

  const key = domain.keys.list().find(({ state }) => state === 'signing')!;
  await domain.keys.revoke(key.kid);
  await keptOut(t, postern, 'its key was revoked', { token: lent });

  const last = await again();
  await letIn(t, postern, last);
  await domain.clients.remove(robot.id);
  await keptOut(t, postern, 'the client was removed', { token: last });
  await domain.resources.remove(apiOf(postern));
  await keptOut(t, postern, 'the API was removed', { token: last });
});

test('what was taken away is gone for a request whose body comes slowly, too', async (t) => {
  const postern = await serving(t);
  const { robot, token } = await operating(postern);
  const body = JSON.stringify({ email: 'left-behind@example.com', admin: true });
  const slow = begun(`${apiOf(postern)}/users`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      expect: '100-continue',
    },
  });
  const answered = once(slow, 'response') as Promise<[IncomingMessage]>;
  await once(slow, 'continue');
  await pause(100);
  await postern.domain.clients.update(robot.id, { resources: [] });
  slow.end(body);
  const [answer] = await answered;
  answer.resume();
  t.is(answer.statusCode, 401);
  t.is(await postern.domain.accounts.byEmail('left-behind@example.com'), undefined);
});

test('a token that nobody could revoke is none, though an API checking it alone would take it', async (t) => {
  const postern = await serving(t);
  await openDoor(postern, { revocable: false });
  const robot = await addRobot(postern);
  const unrecorded = await machineToken(postern, robot);
  const said = /on no record.*revocable/;
  await keptOut(t, postern, 'unrecorded', { token: unrecorded }, { ...OUT, said });
  await postern.domain.resources.update(apiOf(postern), { revocable: true });
  await keptOut(t, postern, 'issued before', { token: unrecorded }, { ...OUT, said });
  await letIn(t, postern, await machineToken(postern, robot));
});

test.serial('an expired token is none', async (t) => {
  const postern = await serving(t);
  const { token } = await operating(postern);
  await letIn(t, postern, token);
  pass(days(1));
  await keptOut(t, postern, 'expired', { token });
});

test('a person is let in only while they are an operator', async (t) => {
  const postern = await serving(t);
  const { domain } = postern;
  await openDoor(postern);
  const client = await console_(postern);
  await addPerson(postern, 'bob@example.com');
  const bob = await personal(postern, client, 'bob@example.com');
  const denied = { status: 403, error: 'access_denied' };
  await keptOut(t, postern, 'no operator', { token: bob.tokens.access_token }, denied);

  await operator(postern, 'grace@example.com');
  const ada = await operator(postern);
  const { tokens } = await personal(postern, client);
  await letIn(t, postern, tokens.access_token);
  // The row alone, which the domain would change together with the end of every token.
  const row = (await postern.store.get('accounts', ada.id))!;
  const be = (more: object) =>
    postern.store.commit([{ put: 'accounts', id: ada.id, record: { ...row.record, ...more } }]);
  await be({ admin: false });
  await keptOut(t, postern, 'no operator any more', { token: tokens.access_token }, denied);
  await be({ disabled: true });
  await keptOut(t, postern, 'disabled, whatever was ended', { token: tokens.access_token });
  await be({});
  await letIn(t, postern, tokens.access_token);
  await domain.accounts.setDisabled(ada.id, true);
  await domain.accounts.setDisabled(ada.id, false);
  await keptOut(t, postern, 'disabled meanwhile', { token: tokens.access_token });

  const second = await personal(postern, client);
  await second.agent
    .get(`${postern.issuer}/logout`)
    .then((page) => second.agent.submit(page, {}, { name: 'logout', value: 'yes' }));
  await keptOut(t, postern, 'signed out', { token: second.tokens.access_token });

  const third = await personal(postern, client);
  await domain.accounts.remove(ada.id);
  await keptOut(t, postern, 'removed', { token: third.tokens.access_token });
});

test('a person who has to have a second factor is let in by a sign-in that had one, and by no other', async (t) => {
  const postern = await serving(t);
  await openDoor(postern);
  const client = await console_(postern);
  const ada = await operator(postern);
  const { tokens } = await personal(postern, client);
  await letIn(t, postern, tokens.access_token);
  const needed = {
    status: 401,
    error: 'insufficient_user_authentication',
    said: /^Bearer .*error="insufficient_user_authentication".*acr_values="urn:postern:acr:two-factor"/,
  };
  const strict = await postern.restart(undefined, { POSTERN_SECOND_FACTOR: 'operators' });
  t.teardown(() => strict.close());
  await keptOut(t, strict, 'the settings ask for one', { token: tokens.access_token }, needed);

  const app = await giveApp(strict, ada);
  const agent = new UserAgent(strict.issuer);
  const asked = { scope: 'openid read write', resource: apiOf(strict) };
  const wanted = await request(await discover(strict, client), asked);
  const second = await signIn(agent, await agent.get(wanted.url));
  const { left } = await agent.submit(second, { code: app.code() });
  const proven = (await redeem(wanted, left!)).access_token;
  await letIn(t, strict, proven);
  const lax = await strict.restart(undefined, { POSTERN_SECOND_FACTOR: 'optional' });
  t.teardown(() => lax.close());
  await letIn(t, lax, proven);
  await keptOut(t, lax, 'they own one', { token: tokens.access_token }, needed);
});

test('an application that registered itself never holds it, not even with an operator’s consent or by an operator’s hand', async (t) => {
  const postern = await serving(t, { POSTERN_REGISTRATION: 'open' });
  await openDoor(postern);
  await operator(postern);
  const came = await fetch(`${postern.issuer}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: [CALLBACK], scope: 'openid read write', resources: [apiOf(postern)] }),
  });
  const { client_id: id, client_secret: secret } = (await came.json()) as Told;
  const refused = await t.throwsAsync(personal(postern, { id, secret }));
  t.regex(`${refused?.message} ${(refused as { error?: string }).error}`, /invalid_target|not sent back/);

  await postern.domain.clients.update(id, { resources: [apiOf(postern)], scopes: ['openid', 'read', 'write'] });
  const { tokens } = await personal(postern, { id, secret });
  await keptOut(t, postern, 'given by hand', { token: tokens.access_token }, { ...OUT, said: /registered itself/ });
});

test('`read` cannot change anything, and `write` does not bring `read`', async (t) => {
  const postern = await serving(t);
  const { robot } = await operating(postern);
  const ada = await addPerson(postern);
  const reads = await machineToken(postern, robot, 'read');
  const writes = await machineToken(postern, robot, 'write');
  const body = {
    email: 'eve@example.com',
    name: 'Eve',
    type: 'service',
    disabled: true,
    password: PASSWORD,
    uri: 'urn:x:y',
  };
  const before = await kept(postern.store);
  for (const route of ROUTES) {
    const path = route.path
      .replace('{user}', ada.id)
      .replace('{client_id}', robot.id)
      .replace(/\{\w+\}/, 'x');
    const reading = scopeOf(route) === 'read';
    const token = reading ? writes : reads;
    const answer = await ask(postern, `${route.method} ${path}`, { token, ...(!reading && { body }) });
    t.is(answer.status, 403, route.id);
    t.is(answer.told.error, 'insufficient_scope', route.id);
    t.regex(answer.headers.get('www-authenticate') ?? '', reading ? /scope="read"/ : /scope="write"/, route.id);
  }
  t.deepEqual(
    changed(before, await kept(postern.store)).filter((each) => !/refusals/.test(each)),
    [],
  );
});

test('what was done tells who did it: the program, and the person it did it for', async (t) => {
  const postern = await serving(t);
  const { robot, as } = await operating(postern);
  const made = await as('POST /users', { email: 'bob@example.com' });
  const ada = await operator(postern);
  const client = await console_(postern);
  const { tokens } = await personal(postern, client);
  const adas = { token: tokens.access_token };
  await ask(postern, `PATCH /users/${made.told.id}`, { ...adas, body: { disabled: true } });
  const { told: key } = await ask(postern, 'POST /keys', { ...adas, body: { alg: 'ES256' } });
  await ask(postern, `DELETE /keys/${key.kid}`, adas);
  const events = (await as(`GET /events?user=${made.told.id}`)).told.items as Told[];
  t.like(events.find(({ type }) => type === 'account.added').details, { by_client: robot.id });
  t.is(events.find(({ type }) => type === 'account.added').details.by, undefined);
  t.like(events.find(({ type }) => type === 'account.disabled').details, { by: ada.id, by_client: client.id });
  const ofKeys = (await as('GET /events?type=key')).told.items as Told[];
  const whose = { kid: key.kid, alg: 'ES256', by: ada.id, by_client: client.id };
  t.deepEqual(
    ofKeys.map(({ type, details }) => ({ type, ...details })).toSorted((a, b) => a.type.localeCompare(b.type)),
    [
      { type: 'key.revoked', ...whose },
      { type: 'key.rotated', ...whose },
    ],
  );
});

/** A machine's token that is bound to a key, and how it proves itself. */
async function bound(postern: Postern) {
  const { robot } = await operating(postern);
  const config = await discover(postern, robot);
  const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair());
  const tokens = await oidc.clientCredentialsGrant(config, { scope: 'read write', resource: apiOf(postern) }, { DPoP });
  return { config, DPoP, token: tokens.access_token };
}

test('openid-client uses a token that is bound to a key', async (t) => {
  const postern = await serving(t);
  const { config, DPoP, token } = await bound(postern);
  const at = (path: string, method: string, body?: string) =>
    oidc.fetchProtectedResource(
      config,
      token,
      new URL(`${apiOf(postern)}${path}`),
      method,
      body,
      new Headers(body ? { 'content-type': 'application/json' } : {}),
      { DPoP },
    );
  t.is((await at('/users?limit=3', 'GET')).status, 200);
  t.is((await at('/users', 'POST', '{"email":"bob@example.com"}')).status, 201);
  t.is((await at(`/resources/${encodeURIComponent(apiOf(postern))}`, 'GET')).status, 200);
});

test('a bound token is good with a new proof of its key for this request, as DPoP, and not otherwise', async (t) => {
  const postern = await serving(t);
  await openDoor(postern);
  const robot = await addRobot(postern);
  const config = await discover(postern, robot);
  const keys = await generateKeyPair('ES256', { extractable: true });
  const DPoP = oidc.getDPoPHandle(config, keys as oidc.CryptoKeyPair);
  const { access_token: token } = await oidc.clientCredentialsGrant(
    config,
    { scope: 'read write', resource: apiOf(postern) },
    { DPoP },
  );
  const plain = await machineToken(postern, robot);
  const htu = `${apiOf(postern)}/users`;
  async function proof(claims: object = {}, by = keys, of = token): Promise<string> {
    const ath = createHash('sha256').update(of).digest('base64url');
    return new SignJWT({ htm: 'GET', htu, ath, jti: randomUUID(), ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(by.publicKey) })
      .setIssuedAt(Math.floor(Date.now() / 1000))
      .sign(by.privateKey);
  }
  const shown = (authorization: string, dpop?: string) => ({ headers: { authorization, ...(dpop && { dpop }) } });
  const good = await proof();
  t.is((await ask(postern, 'GET /users', shown(`DPoP ${token}`, good))).status, 200);

  const wrong: Kept = { status: 401, error: 'invalid_dpop_proof', said: /^DPoP .*error="invalid_dpop_proof".*algs=/ };
  await keptOut(t, postern, 'replayed', shown(`DPoP ${token}`, good), wrong);
  await keptOut(t, postern, 'no proof', shown(`DPoP ${token}`), wrong);
  await keptOut(t, postern, 'another method', shown(`DPoP ${token}`, await proof({ htm: 'POST' })), wrong);
  await keptOut(t, postern, 'another address', shown(`DPoP ${token}`, await proof({ htu: `${htu}/x` })), wrong);
  await keptOut(t, postern, 'another token', shown(`DPoP ${token}`, await proof({}, keys, plain)), wrong);
  const others = await generateKeyPair('ES256', { extractable: true });
  await keptOut(t, postern, 'another key', shown(`DPoP ${token}`, await proof({}, others)), wrong);
  await keptOut(t, postern, 'no JWT', shown(`DPoP ${token}`, 'proof'), wrong);
  await keptOut(t, postern, 'as Bearer', shown(`Bearer ${token}`));
  await keptOut(t, postern, 'as Bearer, with a proof', shown(`Bearer ${token}`, await proof()));
  await keptOut(t, postern, 'unbound as DPoP', shown(`DPoP ${plain}`, await proof({}, keys, plain)));

  const once = await proof();
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => ask(postern, 'GET /users', shown(`DPoP ${token}`, once))),
  );
  t.is(answers.filter(({ status }) => status === 200).length, 1, 'of 20 copies at once, one');
  t.is(answers.filter(({ status }) => status === 401).length, 19);
});
