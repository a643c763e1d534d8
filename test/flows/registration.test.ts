/** Applications that register themselves: clients nobody here wrote, races, and what must not come of it. */

import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { type CryptoKey, exportJWK, generateKeyPair } from 'jose';
import * as oauth from 'oauth4webapi';
import * as oidc from 'openid-client';
import { days } from '../../src/lib/index.ts';
import { envOf } from '../cli/command-line.ts';
import { sayWith } from '../support/cli.ts';
import { authorize, discover, type Registered, redeem, request, signIn } from '../support/client.ts';
import { pass } from '../support/clock.ts';
import { addPerson, CALLBACK, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { startDatabaseServer } from '../support/postgres.ts';
import { changed, kept } from '../support/tables.ts';
import { until } from '../support/until.ts';
import { UserAgent } from '../support/user-agent.ts';

const databases = startDatabaseServer();
test.after.always(async () => (await databases).remove());

type Mode = 'off' | 'token' | 'open';

async function serving(t: ExecutionContext, registration: Mode, env: Record<string, string> = {}): Promise<Postern> {
  const postern = await startPostern({ env: { POSTERN_REGISTRATION: registration, ...env } });
  t.teardown(() => postern.close());
  return postern;
}

const STORES: Readonly<Record<string, () => Promise<Record<string, string>>>> = {
  files: async () => ({}),
  PostgreSQL: async () => ({ POSTERN_DATABASE_URL: (await (await databases).create()).url }),
};

// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect
type Told = any;

interface Asking {
  readonly method?: string;
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask(url: string, { method = 'POST', token, body, headers = {} }: Asking = {}) {
  const answer = await fetch(url, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, told: (text ? JSON.parse(text) : undefined) as Told };
}

const register = ({ issuer }: Postern, body: unknown, token?: string) => ask(`${issuer}/register`, { body, token });

const leave = async ({ domain }: Postern, uses = 1): Promise<string> =>
  (await domain.registrations.allow({ uses })).token;

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

const WEB = { redirect_uris: [CALLBACK], client_name: 'Photo Prints' };
const BOTH_GRANTS = { grant_types: ['authorization_code', 'refresh_token'] };

/** What it looks after itself with. */
const own = ({ registration_client_uri: uri, registration_access_token: token }: Told, asking: Asking = {}) =>
  ask(uri, { method: 'GET', token, ...asking });

const rest = ({
  registration_access_token: _1,
  registration_client_uri: _2,
  client_secret_expires_at: _3,
  client_id_issued_at: _4,
  client_secret: _5,
  ...metadata
}: Told) => metadata;

const asRegistered = ({ client_id, client_secret }: Told): Registered => ({ id: client_id, secret: client_secret });

test.serial(
  'openid-client registers itself with an initial access token, signs a person in and refreshes',
  async (t) => {
    const postern = await serving(t, 'token');
    await addPerson(postern);
    const config = await oidc.dynamicClientRegistration(
      new URL(postern.issuer),
      { ...WEB, ...BOTH_GRANTS, scope: 'openid profile email' },
      undefined,
      { initialAccessToken: await leave(postern), execute: [oidc.allowInsecureRequests] },
    );
    const client = config.clientMetadata();
    t.is(client['registration_client_uri'], `${postern.issuer}/register/${client.client_id}`);
    t.is(String(client.client_secret).length, 43);
    const agent = new UserAgent(postern.issuer);
    const asked = await request(config);
    const consent = await agent.submit(await agent.get(asked.url), { email: 'ada@example.com', password: PASSWORD });
    t.is(consent.page, 'consent');
    t.regex(consent.html, /Nobody here vouches for this application/);
    const { left } = await signIn(agent, consent);
    const tokens = await redeem(asked, left!);
    t.truthy(tokens.claims()?.sub);
    t.truthy((await oidc.refreshTokenGrant(config, tokens.refresh_token!)).access_token);
  },
);

test.serial(
  'oauth4webapi finds the endpoint in both documents and registers an application without a secret',
  async (t) => {
    const postern = await serving(t, 'open');
    const issuer = new URL(postern.issuer);
    const insecure = { [oauth.allowInsecureRequests]: true };
    for (const algorithm of ['oidc', 'oauth2'] as const) {
      const found = await oauth.discoveryRequest(issuer, { algorithm, ...insecure });
      const as = await oauth.processDiscoveryResponse(issuer, found);
      t.is(as.registration_endpoint, `${postern.issuer}/register`);
      const answer = await oauth.dynamicClientRegistrationRequest(
        as,
        { ...WEB, token_endpoint_auth_method: 'none' },
        insecure,
      );
      const client = await oauth.processDynamicClientRegistrationResponse(answer);
      t.is(client.client_secret, undefined);
      t.is(client['application_type'], 'native', 'it is reached on the machine itself');
    }
  },
);

test.serial(
  'what an MCP client sends is taken: it is registered on loopback, any port, and asked for each time',
  async (t) => {
    const postern = await serving(t, 'open');
    await addPerson(postern);
    const { status, told } = await register(postern, {
      client_name: 'An Editor',
      client_uri: 'https://editor.example',
      redirect_uris: ['http://127.0.0.1/', 'https://editor.example/redirect'],
      ...BOTH_GRANTS,
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    });
    t.is(status, 201);
    t.deepEqual(told.grant_types, BOTH_GRANTS.grant_types);
    t.false('client_uri' in told, 'no page shows it');
    const agent = new UserAgent(postern.issuer);
    const redirect = { redirect_uri: 'http://127.0.0.1:41234/' };
    t.truthy((await authorize(postern, asRegistered(told), redirect, agent)).tokens.access_token);
    const again = await request((await authorize(postern, asRegistered(told), redirect, agent)).config, redirect);
    t.is((await agent.get(again.url)).page, 'consent');
  },
);

for (const [name, env] of Object.entries(STORES)) {
  test.serial(`${name}: of twenty registrations at once with a token for three, three succeed`, async (t) => {
    const postern = await serving(t, 'token', await env());
    for (const uses of [1, 3]) {
      const before = (await postern.domain.clients.list()).clients.length;
      const token = await leave(postern, uses);
      const answers = await Promise.all(Array.from({ length: 20 }, () => register(postern, WEB, token)));
      const count = (wanted: number) => answers.filter(({ status }) => status === wanted).length;
      t.deepEqual([count(201), count(401)], [uses, 20 - uses]);
      t.is((await postern.domain.clients.list()).clients.length, before + uses);
    }
    t.deepEqual((await postern.domain.registrations.list()).leaves, []);
  });

  test.serial(
    `${name}: it reads itself, says something else and ends, and with it all that it was issued`,
    async (t) => {
      const postern = await serving(t, 'token', await env());
      await addPerson(postern);
      const { told } = await register(postern, { ...WEB, ...BOTH_GRANTS, software_id: 'prints' }, await leave(postern));
      t.deepEqual((await own(told)).told, withoutSecret(told));
      const { tokens, config } = await authorize(postern, asRegistered(told));
      const better = { ...rest(told), client_name: 'Better Prints', scope: 'openid' };
      const put = await own(told, { method: 'PUT', body: { ...better, client_secret: told.client_secret } });
      t.is(put.status, 200, put.text);
      t.like(put.told, { client_name: 'Better Prints', scope: 'openid', software_id: 'prints' });
      t.is(put.told.registration_access_token, told.registration_access_token, 'it stays');
      t.deepEqual((await own(told)).told, put.told);
      t.truthy((await oidc.refreshTokenGrant(config, tokens.refresh_token!)).access_token);

      t.is((await own(told, { method: 'DELETE' })).status, 204);
      for (const method of ['GET', 'PUT', 'DELETE'])
        t.is((await own(told, { method, ...(method === 'PUT' && { body: better }) })).status, 401);
      await t.throwsAsync(oidc.fetchUserInfo(config, tokens.access_token, tokens.claims()!.sub));
      t.is(await postern.domain.clients.get(told.client_id), undefined);
      for (const table of ['grants', 'access_tokens', 'refresh_tokens', 'consents'] as const)
        t.deepEqual((await postern.store.find(table, 'all', '')).rows, [], table);
    },
  );

  test.serial(`${name}: what was registered openly goes after a week unless somebody used it`, async (t) => {
    const postern = await serving(t, 'open', await env());
    await addPerson(postern);
    const [unused, used, raised] = [
      (await register(postern, WEB)).told,
      (await register(postern, WEB)).told,
      (await register(postern, WEB)).told,
    ];
    const withToken = (await register(postern, WEB, await leave(postern))).told;
    await authorize(postern, asRegistered(used), { scope: 'openid' });
    await postern.domain.clients.update(raised.client_id, { vouched: true });
    t.is((await own(unused, { method: 'PUT', body: { ...rest(unused), client_name: 'Hello' } })).status, 200);
    pass(days(6));
    t.is((await own(unused)).status, 200);
    pass(days(2));
    t.is((await own(unused)).status, 401);
    for (const told of [used, raised, withToken]) t.is((await own(told)).status, 200);
    await postern.store.sweep(Date.now());
    t.is((await postern.domain.clients.list()).clients.length, 3);
  });
}

/** What is told of it later: everything but the secret. */
function withoutSecret({ client_secret: _, ...told }: Told): Told {
  return told;
}

test.serial(
  'two servers on one database: a token is good for as many as it says, and each knows what the other did',
  async (t) => {
    const env = { ...(await STORES['PostgreSQL']!()), POSTERN_REGISTRATION: 'token' };
    const one = await startPostern({ env });
    const two = await startPostern({ env: { ...env, POSTERN_ISSUER: one.issuer }, folder: one.folder });
    t.teardown(async () => {
      await two.stop();
      await one.close();
    });
    const token = await leave(one, 3);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => ask(`${[one, two][i % 2]!.url}/register`, { body: WEB, token })),
    );
    t.is(answers.filter(({ status }) => status === 201).length, 3);
    const { told } = answers.find(({ status }) => status === 201)!;
    const elsewhere = { ...told, registration_client_uri: `${two.url}/register/${told.client_id}` };
    t.is((await own(elsewhere)).told.client_name, WEB.client_name);
    t.is((await own(told, { method: 'PUT', body: { ...rest(told), client_name: 'Other' } })).status, 200);
    await until(async () => (await own(elsewhere)).told.client_name === 'Other');
    t.is((await own(told, { method: 'DELETE' })).status, 204);
    await until(async () => (await own(elsewhere)).status === 401);
    t.pass();
  },
);

test.serial(
  'a secret is issued to who can keep one, in the way it asked for; keys in place of it prove it',
  async (t) => {
    const postern = await serving(t, 'token');
    const token = await leave(postern, 20);
    const post = (await register(postern, { ...WEB, token_endpoint_auth_method: 'client_secret_post' }, token)).told;
    t.is(post.token_endpoint_auth_method, 'client_secret_post');
    t.is(post.client_secret_expires_at, 0);
    const basic = (await register(postern, WEB, token)).told;
    t.is(basic.token_endpoint_auth_method, 'client_secret_basic');
    t.deepEqual(basic.grant_types, ['authorization_code'], 'no more than it asked for (RFC 7591 section 2)');

    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), x5c: [[['deep']]] };
    const keyed = await register(
      postern,
      { ...WEB, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } },
      token,
    );
    t.is(keyed.status, 201, keyed.text);
    t.false('client_secret' in keyed.told || 'client_secret_expires_at' in keyed.told);
    await addPerson(postern);
    await usable(t, postern, keyed.told.client_id, oidc.PrivateKeyJwt(privateKey as CryptoKey));
    const changedTo = await own(keyed.told, {
      method: 'PUT',
      body: { ...rest(keyed.told), token_endpoint_auth_method: 'client_secret_basic' },
    });
    t.is(changedTo.told.client_secret?.length, 43, 'keys given up for a secret');
    await usable(t, postern, keyed.told.client_id, oidc.ClientSecretBasic(changedTo.told.client_secret));
    const tokens = await usable(t, postern, post.client_id, oidc.ClientSecretPost(post.client_secret));
    t.is(tokens.refresh_token, undefined, 'it did not ask for any');
  },
);

async function usable(t: ExecutionContext, postern: Postern, id: string, auth: oidc.ClientAuth) {
  const config = await oidc.discovery(new URL(postern.issuer), id, undefined, auth, {
    execute: [oidc.allowInsecureRequests],
  });
  const agent = new UserAgent(postern.issuer);
  const asked = await request(config);
  const { left } = await signIn(agent, await agent.get(asked.url));
  const tokens = await redeem(asked, left!);
  t.truthy(tokens.access_token);
  return tokens;
}

test.serial('no privilege comes of what an application says: each is refused or is not there', async (t) => {
  const postern = await serving(t, 'open');
  for (const grant of ['password', 'client_credentials', 'implicit', 'urn:ietf:params:oauth:grant-type:jwt-bearer']) {
    const { status, told } = await register(postern, { ...WEB, grant_types: ['authorization_code', grant] });
    t.is(status, 400);
    t.is(told.error, 'invalid_client_metadata');
    t.regex(told.error_description, /^grant_types: /);
    t.true(told.error_description.includes(grant));
  }
  const { told } = await register(postern, {
    ...WEB,
    client_id: 'cli_mine',
    client_secret: 'mine',
    first_party: true,
    firstParty: true,
    resources: ['https://api.example.com'],
    resource: 'https://api.example.com',
    passwordGrant: true,
    vouched: true,
    registration: { vouched: true },
    default_acr_values: ['urn:postern:acr:two-factor'],
    type: 'service',
    ['__proto__']: { firstParty: true },
  });
  t.not(told.client_id, 'cli_mine');
  const client = (await postern.domain.clients.get(told.client_id))!;
  t.like(client, { firstParty: false, resources: [], type: 'web', grantTypes: ['authorization_code'] });
  t.deepEqual(Object.keys(client.registration!), ['tokenHash']);
});

test.serial('an application that gives itself another name or address is vouched for by nobody any more', async (t) => {
  const postern = await serving(t, 'open');
  const { clients } = postern.domain;
  for (const [more, stays] of [
    [{ software_version: '2' }, true],
    [{ client_name: 'Your Bank' }, false],
    [{ redirect_uris: ['https://elsewhere.example.com/callback'] }, false],
  ] as const) {
    const { told } = await register(postern, WEB);
    await clients.update(told.client_id, { vouched: true });
    const put = await own(told, { method: 'PUT', body: { ...rest((await own(told)).told), ...more } });
    t.is(put.status, 200, put.text);
    t.is((await clients.get(told.client_id))?.registration?.vouched === true, stays, JSON.stringify(more));
  }
});

test.serial('what an operator decided stays, whatever the application says of itself afterwards', async (t) => {
  const postern = await serving(t, 'token');
  await addPerson(postern);
  const { clients, resources } = postern.domain;
  await resources.add({ uri: 'https://files.example.com', scopes: ['read'] });
  const { told } = await register(postern, WEB, await leave(postern));
  await clients.update(told.client_id, {
    name: 'Known Prints',
    scopes: ['openid', 'read'],
    resources: ['https://files.example.com'],
    passwordGrant: true,
    vouched: true,
  });
  const said = { ...rest((await own(told)).told), client_name: 'Your Bank', ...BOTH_GRANTS };
  const put = await own(told, {
    method: 'PUT',
    body: { ...said, scope: undefined, post_logout_redirect_uris: [CALLBACK] },
  });
  t.is(put.status, 200, put.text);
  t.like(put.told, { client_name: 'Known Prints', scope: 'openid read', post_logout_redirect_uris: [CALLBACK] });
  t.like(await clients.get(told.client_id), {
    name: 'Known Prints',
    scopes: ['openid', 'read'],
    resources: ['https://files.example.com'],
    grantTypes: ['authorization_code', 'password', 'refresh_token'],
  });
  const say = async (...args: string[]) =>
    (await sayWith('', { ...envOf(postern.folder), POSTERN_REGISTRATION: 'token' }, 'client', ...args, '--json')).json;
  const shown = await say('show', told.client_id);
  t.like(shown, { registered_itself: true, vouched: true, client_name: 'Known Prints' });
  t.regex(shown.registered_with, /^reg_/);
  t.false(JSON.stringify(shown).includes('okenHash'));
  t.deepEqual(await say('list'), [shown]);
  const { config } = await authorize(postern, asRegistered(told), { scope: 'openid' });
  const asked = await request(config, { scope: 'openid', prompt: 'consent' });
  const agent = new UserAgent(postern.issuer);
  const page = await agent.submit(await agent.get(asked.url), { email: 'ada@example.com', password: PASSWORD });
  t.is(page.page, 'consent');
  t.notRegex(page.html, /vouches/);
  await clients.update(told.client_id, { vouched: false });
  t.regex((await agent.get(page.url)).html, /vouches/);
  const { client } = await clients.add({ name: 'Ours', type: 'web', redirectUris: [CALLBACK] });
  await t.throwsAsync(clients.update(client.id, { vouched: true }), { message: /registered by an operator/ });
});

test.serial('an application stays of the kind it registered as', async (t) => {
  const postern = await serving(t, 'open');
  const web = (await register(postern, WEB)).told;
  const spa = (await register(postern, { ...WEB, token_endpoint_auth_method: 'none', application_type: 'web' })).told;
  const native = (await register(postern, { redirect_uris: ['com.example.app:/callback'] })).told;
  t.is(native.token_endpoint_auth_method, 'none');
  t.is(native.client_name, 'com.example.app');
  const refused = async (told: Told, changes: object, member: RegExp) => {
    const put = await own(told, { method: 'PUT', body: { ...rest(told), ...changes } });
    t.is(put.status, 400);
    t.regex(put.told.error_description, member);
  };
  await refused(web, { token_endpoint_auth_method: 'none' }, /^token_endpoint_auth_method: /);
  await refused(spa, { token_endpoint_auth_method: 'client_secret_basic' }, /^token_endpoint_auth_method: /);
  await refused(native, { application_type: 'web' }, /^(application_type|redirect_uris): /);
  await refused(web, { client_id: spa.client_id }, /^client_id: /);
  await refused(web, { client_id: undefined }, /^client_id: /);
  await refused(web, { client_secret: 'a guess' }, /^client_secret: /);
  await refused(web, { registration_access_token: web.registration_access_token }, /^registration_access_token: /);
  for (const told of [web, spa, native]) {
    const { token_endpoint_auth_method: _1, application_type: _2, ...said } = rest(told);
    t.deepEqual(
      (await own(told, { method: 'PUT', body: said })).told,
      withoutSecret(told),
      'what is left out stays of its kind',
    );
  }
});

test.serial('who shows no good token learns nothing: not whether there is such a client either', async (t) => {
  const postern = await serving(t, 'open');
  const [mine, theirs] = [(await register(postern, WEB)).told, (await register(postern, WEB)).told];
  const { client } = await postern.domain.clients.add({ name: 'Ours', type: 'web', redirectUris: [CALLBACK] });
  const ids = [theirs.client_id, client.id, 'cli_AAAAAAAAAAAAAAAAAAAAAA', 'account', 'x'.repeat(700), '%00'];
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const answers = await Promise.all(
      ids.map((id) =>
        ask(`${postern.issuer}/register/${id}`, {
          method,
          token: mine.registration_access_token,
          ...(method === 'PUT' && { body: { ...WEB, client_id: id } }),
        }),
      ),
    );
    for (const { status, told, headers } of answers.slice(0, 5)) {
      t.is(status, 401);
      t.deepEqual({ ...told, error_id: '' }, { ...answers[0]!.told, error_id: '' });
      t.is(headers.get('www-authenticate'), answers[0]!.headers.get('www-authenticate'));
      t.is(headers.get('cache-control'), 'no-store');
    }
    t.true(answers[5]!.status < 500 && answers[5]!.status >= 400);
  }
  const bare = await ask(theirs.registration_client_uri, { method: 'GET' });
  t.is(bare.headers.get('www-authenticate'), `Bearer realm="${postern.issuer}"`);
  for (const told of [mine, theirs]) t.is((await own(told)).status, 200);
});

test.serial('off: nobody registers, nothing is at the address, and no document tells of it', async (t) => {
  const postern = await serving(t, 'token');
  const { told } = await register(postern, WEB, await leave(postern, 2));
  const token = await leave(postern);
  const closed = await postern.restart(undefined, { POSTERN_REGISTRATION: 'off' });
  t.teardown(() => closed.close());
  for (const method of ['POST', 'GET', 'OPTIONS', 'DELETE'])
    t.is((await ask(`${closed.issuer}/register`, { method, token })).status, 404, method);
  t.is((await own(told)).status, 404);
  for (const document of ['openid-configuration', 'oauth-authorization-server']) {
    const found = await ask(`${closed.issuer}/.well-known/${document}`, { method: 'GET' });
    t.false('registration_endpoint' in found.told);
  }
  t.is((await closed.domain.clients.list()).clients.length, 1);
});

test.serial('token: without one that is good nobody registers, and nothing is kept', async (t) => {
  const postern = await serving(t, 'token');
  const removed = await postern.domain.registrations.allow();
  await postern.domain.registrations.withdraw(removed.leave.id);
  const old = await postern.domain.registrations.allow({ ttl: days(1) });
  pass(days(2));
  const good = await leave(postern);
  const before = await kept(postern.store);
  const [half] = good.split('.');
  const other = `${half}.${removed.token.split('.')[1]}`;
  for (const token of [undefined, '', 'x', removed.token, old.token, other, half, `${half}.`]) {
    const { status, told, headers } = await register(postern, WEB, token);
    t.is(status, 401, token);
    t.is(told.error, 'invalid_token');
    t.regex(headers.get('www-authenticate') ?? '', /^Bearer realm=/);
  }
  t.deepEqual(changed(before, await kept(postern.store)), []);
  t.is((await register(postern, { ...WEB, redirect_uris: [] }, good)).status, 400);
  t.is((await register(postern, WEB, good)).status, 201, 'a refusal used nothing up');
});

test.serial('open: one network registers and changes so much an hour, and no more', async (t) => {
  const postern = await serving(t, 'open', { POSTERN_TRUSTED_PROXIES: '127.0.0.1' });
  const from = (address: string, token?: string) =>
    ask(`${postern.issuer}/register`, { body: WEB, token, headers: { 'x-forwarded-for': address } });
  const answers = await Promise.all(Array.from({ length: 60 }, () => from('203.0.113.7')));
  t.is(answers.filter(({ status }) => status === 201).length, 50);
  const refused = answers.find(({ status }) => status !== 201)!;
  t.is(refused.status, 429);
  t.is(refused.told.error, 'temporarily_unavailable');
  t.true(Number(refused.headers.get('retry-after')) > 3000);
  const first = answers.find(({ status }) => status === 201)!.told;
  const body = { ...rest(first), client_name: 'Other' };
  const headers = { 'x-forwarded-for': '203.0.113.9' };
  t.is((await own(first, { method: 'PUT', body, headers })).status, 429);
  t.is((await own(first, { headers })).status, 200);
  t.is((await from('198.51.100.1')).status, 201, 'another network');
  t.is((await from('203.0.113.7', await leave(postern))).status, 201, 'with leave');
});

test.serial('a browser may register from any origin, and what is answered is kept by nobody', async (t) => {
  const postern = await serving(t, 'open');
  const origin = { origin: 'https://app.example.com' };
  const preflight = await ask(`${postern.issuer}/register`, {
    method: 'OPTIONS',
    headers: { ...origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
  });
  t.is(preflight.status, 204);
  t.is(preflight.headers.get('access-control-allow-origin'), origin.origin);
  t.is(preflight.headers.get('access-control-allow-headers'), 'content-type');
  t.regex(preflight.headers.get('access-control-allow-methods') ?? '', /POST/);
  for (const body of [WEB, { redirect_uris: 7 }]) {
    const answer = await ask(`${postern.issuer}/register`, { body, headers: origin });
    t.is(answer.headers.get('access-control-allow-origin'), origin.origin);
    t.is(answer.headers.get('cache-control'), 'no-store');
  }
  const head = await ask(`${postern.issuer}/register`, { method: 'GET' });
  t.is(head.status, 405);
});

test.serial('what is refused names the member, and `postern explain` tells what was asked', async (t) => {
  const postern = await serving(t, 'open');
  const refusals: [object, error: string, RegExp][] = [
    [{}, 'invalid_redirect_uri', /^redirect_uris: .*at least one/],
    [{ redirect_uris: 'https://a.example' }, 'invalid_redirect_uri', /^redirect_uris: must be a list/],
    [{ redirect_uris: ['http://a.example/cb'] }, 'invalid_redirect_uri', /^redirect_uris: .*must be https/],
    [{ redirect_uris: ['https://ada:s3cret@a.example/'] }, 'invalid_redirect_uri', /^redirect_uris: .*user name/],
    [
      { redirect_uris: ['https://a.example/#x'] },
      'invalid_redirect_uri',
      /^redirect_uris: .*\(RFC 6749 section 3\.1\.2\)/,
    ],
    [
      { ...WEB, jwks: { keys: [] }, jwks_uri: 'https://a.example/keys' },
      'invalid_client_metadata',
      /^jwks: and jwks_uri /,
    ],
    [{ ...WEB, client_name: 'a\u202Eb' }, 'invalid_client_metadata', /^client_name: /],
    [{ ...WEB, client_name: 5 }, 'invalid_client_metadata', /^client_name: must be a text/],
    [{ ...WEB, scope: 'a "b"' }, 'invalid_client_metadata', /^scope: /],
    [{ ...WEB, response_types: ['token'] }, 'invalid_client_metadata', /^response_types: /],
    [{ ...WEB, token_endpoint_auth_method: 'client_secret_jwt' }, 'invalid_client_metadata', /^token_endpoint_auth_/],
    [{ ...WEB, token_endpoint_auth_method: 'private_key_jwt' }, 'invalid_client_metadata', /^jwks: /],
    [
      { ...WEB, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [] } },
      'invalid_client_metadata',
      /^jwks: /,
    ],
    [{ ...WEB, post_logout_redirect_uris: ['x'] }, 'invalid_client_metadata', /^post_logout_redirect_uris: /],
    [{ ...WEB, backchannel_logout_uri: 'http://a.example' }, 'invalid_client_metadata', /^backchannel_logout_uri: /],
    [{ ...WEB, id_token_signed_response_alg: 'HS256' }, 'invalid_client_metadata', /^id_token_signed_response_alg: /],
    [{ ...WEB, application_type: 'service' }, 'invalid_client_metadata', /^application_type: /],
  ];
  for (const [body, error, sentence] of refusals) {
    const { status, told } = await register(postern, body);
    t.is(status, 400);
    t.is(told.error, error);
    t.regex(told.error_description, sentence);
    t.regex(told.error_description, /^[\x20-\x7e]+$/);
    const refusal = await postern.domain.refusals.get(told.error_id);
    t.is(refusal?.error, error);
    t.is(refusal?.asked['path'], '/register');
    t.deepEqual(new Set(Object.keys(refusal?.asked ?? {})), new Set(['method', 'path', ...Object.keys(body)]));
    t.notRegex(JSON.stringify(refusal), /s3cret/);
  }
  const ours = await register(postern, { redirect_uris: [CALLBACK, `${postern.issuer}/device/signed-in`] });
  t.is(ours.told.error, 'invalid_redirect_uri');
  t.regex(ours.told.error_description, /an address of this server itself/);
  const { told } = await register(postern, WEB);
  const moved = { ...rest(told), redirect_uris: [`${postern.issuer}/account/signed-in`] };
  t.is((await own(told, { method: 'PUT', body: moved })).told.error, 'invalid_redirect_uri');
  for (const [body, type] of [
    ['{', 'application/json'],
    ['[]', 'application/json'],
    ['redirect_uris=x', 'application/x-www-form-urlencoded'],
    ['{}', 'text/plain'],
  ] as const) {
    const answer = await ask(`${postern.issuer}/register`, { body, headers: { 'content-type': type } });
    t.is(answer.status, type === 'application/json' ? 400 : 415);
    t.is(answer.told.error, 'invalid_client_metadata');
  }
  t.is((await register(postern, { ...WEB, padding: 'x'.repeat(17_000) })).status, 413);
});

/** Members as an application would write them, and as nobody would. */
const hostile = (): fc.Arbitrary<object> => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.constant('\u0000\ud800'));
  const uri = fc.oneof(
    fc.constantFrom(CALLBACK, 'https://a.example/', 'com.example.app:/cb', 'javascript:alert(1)', 'http://a.example/'),
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    text,
  );
  const list = fc.oneof(fc.array(uri, { maxLength: 60 }), fc.array(text, { maxLength: 4 }));
  const word = fc.oneof(
    fc.constantFrom('none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt', 'web', 'native', 'code'),
    fc.constantFrom(
      'authorization_code',
      'refresh_token',
      'password',
      DEVICE_GRANT,
      'openid profile',
      'RS256',
      'public',
    ),
    text,
  );
  const deep = fc.integer({ min: 1, max: 500 }).map((n) => JSON.parse(`${'['.repeat(n)}${']'.repeat(n)}`));
  const jwk = fc.record(
    { kty: word, n: text, e: text, crv: word, x: text, kid: fc.anything(), x5c: deep },
    { requiredKeys: [] },
  );
  const value = fc.oneof(
    word,
    list,
    fc.array(word, { maxLength: 4 }),
    fc.jsonValue(),
    deep,
    fc.record({ keys: fc.array(jwk, { maxLength: 3 }) }),
  );
  const members =
    `redirect_uris client_name token_endpoint_auth_method grant_types response_types scope jwks application_type
    post_logout_redirect_uris backchannel_logout_uri backchannel_logout_session_required software_id software_version
    __proto__ constructor client_id contacts`.split(/\s+/);
  return fc
    .array(fc.tuple(fc.constantFrom(...members), value), { maxLength: 8 })
    .chain((odd) => fc.boolean().map((good) => ({ ...(good && WEB), ...Object.fromEntries(odd) })));
};

test.serial(
  'whatever is said, it is answered; what is refused leaves the store as it was, and what is taken can be used',
  async (t) => {
    const postern = await serving(t, 'token');
    const token = await leave(postern, 5000);
    const { told: mine } = await register(postern, WEB, token);
    const runs = {
      seed: Number(process.env['POSTERN_FUZZ_SEED'] ?? 20_260_401),
      numRuns: Number(process.env['POSTERN_FUZZ_RUNS'] ?? 300),
    };
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(hostile(), fc.boolean(), async (body, anew) => {
        const before = await kept(postern.store);
        const { status, told } = anew
          ? await register(postern, body, token)
          : await own(mine, { method: 'PUT', body: { ...body, client_id: mine.client_id } });
        if (status === 413) return;
        if (status === 400) {
          if (!/^invalid_(client_metadata|redirect_uri)$/.test(told.error)) throw new Error(JSON.stringify(told));
          const left = changed(before, await kept(postern.store));
          if (left.length > 0) throw new Error(left.join('\n'));
          return;
        }
        if (status !== (anew ? 201 : 200)) throw new Error(`${status} ${JSON.stringify(told)}`);
        taken += 1;
        const again = await own({ ...mine, ...told }, { method: 'PUT', body: rest(told) });
        // What was just not too long may be with all that is told.
        if (again.status !== 200 && again.status !== 413)
          throw new Error(`what was told back is refused: ${JSON.stringify(again.told)}`);
        const url = new URL(`${postern.issuer}/authorize`);
        const [redirect_uri] = told.redirect_uris;
        if (redirect_uri === undefined) return;
        const { client_id } = told;
        url.search = String(
          new URLSearchParams({
            client_id,
            redirect_uri,
            response_type: 'code',
            scope: 'openid',
            prompt: 'none',
            code_challenge: 'x'.repeat(43),
            code_challenge_method: 'S256',
          }),
        );
        const { status: asked, headers } = await fetch(url, { redirect: 'manual' });
        if (asked !== 303 || !/error=(login|consent|interaction)_required/.test(headers.get('location') ?? ''))
          throw new Error(`${asked} ${headers.get('location')} for ${JSON.stringify(told)}`);
      }),
      runs,
    );
    t.true(taken > runs.numRuns / 20, `${taken} taken`);
  },
);

test.serial(
  'the data folder and the log hold none of the tokens and secrets, and every step is an event',
  async (t) => {
    const postern = await serving(t, 'token');
    const token = await leave(postern, 2);
    const { told } = await register(postern, WEB, token);
    await own(told, { method: 'PUT', body: { ...rest(told), client_name: 'Other' } });
    await own(told, { method: 'PUT', body: { ...rest(told), client_name: 'Other' } });
    const all = await kept(postern.store);
    for (const secret of [token, token.split('.')[1]!, told.client_secret, told.registration_access_token])
      t.false(all.includes(secret));
    await own(told, { method: 'DELETE' });
    const events: string[] = [];
    for await (const { type, details } of postern.domain.audit.events())
      if (/^(client|registration)\./.test(type)) events.push(`${type} ${details['by'] ?? ''}`.trim());
    t.deepEqual(events, [
      'client.removed itself',
      'client.updated itself',
      'client.registered',
      'registration.allowed',
    ]);
  },
);

test.serial('a device registers itself, without an address, and whoever allows it is warned', async (t) => {
  const postern = await serving(t, 'open');
  await addPerson(postern);
  const { status, told } = await register(postern, {
    client_name: 'Television',
    grant_types: [DEVICE_GRANT, 'refresh_token'],
    response_types: [],
    token_endpoint_auth_method: 'none',
  });
  t.is(status, 201);
  t.like(told, { application_type: 'native', redirect_uris: [], response_types: [] });
  t.deepEqual(told.grant_types, [DEVICE_GRANT, 'refresh_token']);
  t.is((await own(told, { method: 'PUT', body: rest(told) })).status, 200);
  const config = await discover(postern, asRegistered(told));
  const shown = await oidc.initiateDeviceAuthorization(config, { scope: 'openid' });
  const agent = new UserAgent(postern.issuer);
  const login = await agent.submit(await agent.get('/device'), { user_code: shown.user_code });
  const consent = await agent.submit(login, { email: 'ada@example.com', password: PASSWORD });
  t.is(consent.page, 'consent');
  t.regex(consent.html, /only if you know whose it is/);
  t.is((await signIn(agent, consent)).page, 'device-done');
  t.truthy((await oidc.pollDeviceAuthorizationGrant(config, { ...shown, interval: 0 })).access_token);
  pass(days(8));
  t.is((await own(told)).status, 200, 'it was used');
});
