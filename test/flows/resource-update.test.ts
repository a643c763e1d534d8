/** An operator changes an API while it is in use: what becomes of tokens, refresh tokens, codes and what people allowed. */
import test from 'ava';
import { decodeJwt } from 'jose';
import { minutes } from '../../src/lib/index.ts';
import { wholeWay } from '../support/both-ways.ts';
import { authorize, discover, type Registered, redeem, request, signIn } from '../support/client.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { basic } from '../support/program-requests.ts';
import { UserAgent } from '../support/user-agent.ts';

let postern: Postern;
let api: string;

test.before(async () => {
  postern = await startPostern();
  await addPerson(postern);
});
test.beforeEach(async (t) => {
  api = `https://${t.title.length}.example.com`;
  await postern.domain.resources.add({ uri: api, scopes: ['read', 'write'] });
});
test.after.always(() => postern.close());

const PATHS = ['/token', wholeWay('/token')];

const service = () => addClient(postern, { type: 'service', redirectUris: [], resources: [api] });

async function post(path: string, { id, secret = '' }: Registered, fields: Record<string, string>) {
  const headers = { authorization: basic({ id, secret }) };
  const answer = await fetch(postern.issuer + path, { method: 'POST', body: new URLSearchParams(fields), headers });
  return { status: answer.status, body: (await answer.json().catch(() => ({}))) as Record<string, string> };
}

const machine = (by: Registered, path: string, fields: Record<string, string> = {}) =>
  post(path, by, { grant_type: 'client_credentials', ...fields });

const isActive = async (by: Registered, token = '') =>
  Promise.all(
    ['/introspect', wholeWay('/introspect')].map(async (path) => (await post(path, by, { token })).body['active']),
  );

test.serial('a new lifetime holds for the next token', async (t) => {
  const by = await service();
  for (const ttl of [minutes(1), null]) {
    await postern.domain.resources.update(api, { ttl });
    for (const path of PATHS) {
      const { access_token = '' } = (await machine(by, path)).body;
      const { exp = 0, iat = 0 } = decodeJwt(access_token);
      t.is(exp - iat, ttl ? 60 : 900);
    }
  }
});

test.serial('a scope that was taken away is refused to machines, and left out of what people go on with', async (t) => {
  const [by, web] = [await service(), await addClient(postern, { resources: [api], passwordGrant: true })];
  const asked = { scope: 'openid read write', resource: api };
  const [one, other] = [await authorize(postern, web, asked), await authorize(postern, web, asked)];
  const coming = await Promise.all(
    PATHS.map(async () => {
      const sent = await request(one.config, asked);
      return { sent, left: (await one.agent.get(sent.url)).left! };
    }),
  );
  await postern.domain.resources.update(api, { scopes: ['read'] });

  for (const [at, { tokens }] of [one, other].entries()) {
    const path = PATHS[at]!;
    t.is((await machine(by, path, { scope: 'write' })).body['error'], 'invalid_scope');
    const person = { grant_type: 'password', username: 'ada@example.com', password: PASSWORD };
    t.is((await post(path, web, { ...person, scope: 'write' })).body['error'], 'invalid_scope');
    const { body } = await post(path, web, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token! });
    t.is(body['scope'], 'openid read');
    t.is(decodeJwt(body['access_token']!)['scope'], 'openid read');
    const { sent, left } = coming[at]!;
    t.is((await redeem(sent, left)).scope, 'openid read');
    // It says what it was issued with, until it expires.
    t.is(decodeJwt(tokens.access_token)['scope'], 'openid read write');
    t.deepEqual(await isActive(by, tokens.access_token), [true, true] as never);
  }
});

test.serial('a scope that comes back is one that people have allowed already', async (t) => {
  const web = await addClient(postern, { resources: [api] });
  const asked = { scope: 'openid read write', resource: api };
  const { agent, config } = await authorize(postern, web, asked);
  await postern.domain.resources.update(api, { scopes: [] });
  const sent = await request(config, asked);
  t.is((await redeem(sent, (await agent.get(sent.url)).left!)).scope, 'openid');
  await postern.domain.resources.update(api, { scopes: ['read', 'write', 'delete'] });
  const back = await request(config, asked);
  t.is((await redeem(back, (await agent.get(back.url)).left!)).scope, 'openid read write');
  t.is((await agent.get((await request(config, { ...asked, scope: 'openid delete' })).url)).page, 'consent');
});

test.serial('a scope that was taken away while somebody is asked for it is not granted', async (t) => {
  const config = await discover(postern, await addClient(postern, { resources: [api] }));
  const agent = new UserAgent(postern.issuer);
  const sent = await request(config, { scope: 'openid read write', resource: api });
  const at = await agent.submit(await agent.get(sent.url), { email: 'ada@example.com', password: PASSWORD });
  t.is(at.page, 'consent');
  await postern.domain.resources.update(api, { scopes: ['read'] });
  t.is((await redeem(sent, (await signIn(agent, at)).left!)).scope, 'openid read');
});

test.serial(
  'a scope that an API is given while somebody is asked for the others is granted when they were told',
  async (t) => {
    await postern.domain.resources.update(api, { scopes: ['read'] });
    const config = await discover(postern, await addClient(postern, { resources: [api] }));
    const agent = new UserAgent(postern.issuer);
    const sent = await request(config, { scope: 'openid read write', resource: api });
    const at = await agent.submit(await agent.get(sent.url), { email: 'ada@example.com', password: PASSWORD });
    t.false(at.html.includes('write'));
    await postern.domain.resources.update(api, { scopes: ['read', 'write'] });
    const anew = await signIn(agent, at);
    t.is(anew.page, 'consent');
    t.true(anew.html.includes('write'));
    t.is((await redeem(sent, (await signIn(agent, anew)).left!)).scope, 'openid read write');
  },
);

test.serial(
  'a machine’s token is on record or not for as long as it lives, whatever its API’s are by now',
  async (t) => {
    const by = await service();
    const { resources, clients } = postern.domain;
    const ask = async () => (await machine(by, '/token')).body['access_token']!;
    const revoke = (token: string) => post('/revoke', by, { token });
    const unrecorded = await ask();
    await resources.update(api, { revocable: true });
    const [recorded, revoked] = [await ask(), await ask()];
    t.is((await revoke(revoked)).status, 200);
    const stand = async (title: string) => {
      t.deepEqual(await isActive(by, unrecorded), [true, true] as never, title);
      t.deepEqual(await isActive(by, recorded), [true, true] as never, title);
      t.deepEqual(await isActive(by, revoked), [false, false] as never, title);
      t.is((await revoke(unrecorded)).body['error'], 'unsupported_token_type', title);
    };
    await stand('revocable');
    await resources.update(api, { revocable: false });
    await stand('not revocable any more');
    await clients.update(by.id, { resources: [] });
    await resources.remove(api);
    await stand('removed');
  },
);
