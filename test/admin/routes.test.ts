/** Each route does what it says; what is wrong is told as what it is. */
import test, { type ExecutionContext } from 'ava';
import { signIn } from '../support/client.ts';
import { addPerson, CALLBACK, PASSWORD, startPostern } from '../support/postern.ts';
import { UserAgent } from '../support/user-agent.ts';
import { apiOf, ask, operating, type Told } from './operator.ts';

async function opened(t: ExecutionContext) {
  const postern = await startPostern();
  t.teardown(() => postern.close());
  return { postern, ...(await operating(postern)) };
}

test('people are added, found, changed and removed', async (t) => {
  const { postern, as } = await opened(t);
  const made = await as('POST /users', { email: 'ada@example.com', name: 'Ada', password: PASSWORD });
  t.is(made.status, 201);
  t.is(made.headers.get('location'), `${apiOf(postern)}/users/${made.told.id}`);
  t.is(made.headers.get('cache-control'), 'no-store');
  t.like(made.told, { email: 'ada@example.com', name: 'Ada', has_password: true, admin: false });
  t.false(made.text.includes(PASSWORD));

  t.deepEqual((await as(`GET /users/${made.told.id}`)).told, made.told);
  t.deepEqual((await as('GET /users/ada@example.com')).told, made.told, 'by the address as well');
  t.deepEqual((await as('GET /users?email=ADA%40example.com')).told, { items: [made.told] });
  t.deepEqual((await as('GET /users?email=eve@example.com')).told, { items: [] });
  for (const part of ['ADA%40', 'xample.c', 'ad'])
    t.deepEqual((await as(`GET /users?search=${part}`)).told, { items: [made.told] }, part);
  t.deepEqual((await as('GET /users?search=eve')).told, { items: [] });
  t.is((await as('GET /users?search=a&email=ada@example.com')).told.error, 'arguments_invalid');

  const disabled = await as(`PATCH /users/${made.told.id}`, { disabled: true });
  t.is(disabled.status, 200);
  t.true(disabled.told.disabled);
  const corrected = await as(`PATCH /users/${made.told.id}`, {
    disabled: false,
    name: 'Ada King',
    email_verified: true,
  });
  t.like(corrected.told, { disabled: false, name: 'Ada King', email_verified: true, email: 'ada@example.com' });
  t.is((await as(`DELETE /users/${made.told.id}/sessions`)).told.id, made.told.id);
  const { items: events } = (await as(`GET /events?user=${made.told.id}`)).told;
  t.deepEqual(events.map(({ type }: Told) => type).toSorted(), [
    'account.added',
    'account.disabled',
    'account.enabled',
    'account.signed_out',
    'account.updated',
  ]);

  const changed = await as('PUT /users/ada@example.com/password', { password: 'a newer and longer password' });
  t.is(changed.status, 200);
  t.is(await postern.domain.accounts.authenticate('ada@example.com', PASSWORD), undefined);
  t.truthy(await postern.domain.accounts.authenticate('ada@example.com', 'a newer and longer password'));

  await postern.domain.recoveryCodes.put(made.told.id, ['one-of-them']);
  t.like((await as('GET /users/ada@example.com/factors')).told.items[0], { kind: 'recovery', codes_left: 1 });
  t.deepEqual((await as('DELETE /users/ada@example.com/factors')).told.removed, ['recovery']);
  t.deepEqual((await as('GET /users/ada@example.com/factors')).told, { items: [] });

  const removed = await as(`DELETE /users/${made.told.id}`);
  t.is(removed.status, 200);
  t.deepEqual(removed.told, { id: made.told.id, email: 'ada@example.com', removed: true });
  t.is((await as(`GET /users/${made.told.id}`)).status, 404);
});

test('where somebody is signed in is told, and one of it is ended', async (t) => {
  const { postern, as, robot } = await opened(t);
  const { id, email } = await addPerson(postern);
  t.deepEqual((await as(`GET /users/${email}/sessions`)).told, { items: [] });
  const [phone, desk] = ['Version/18.0 Safari/604.1 iPhone', 'curl/8'].map(
    (name) => new UserAgent(postern.issuer, { 'user-agent': name }),
  );
  for (const agent of [phone!, desk!]) await signIn(agent, await agent.get('/account'), email);
  const { items } = (await as(`GET /users/${id}/sessions`)).told;
  t.is(items.length, 2);
  const theirs = items.find(({ browser }: Told) => browser === 'Safari');
  t.like(theirs, {
    system: 'iPhone',
    address: '127.0.0.1',
    user_agent: 'Version/18.0 Safari/604.1 iPhone',
    clients: [],
  });
  t.like(
    items.find(({ browser }: Told) => browser === null),
    { system: null, user_agent: 'curl/8' },
  );
  t.true(Math.abs(Date.parse(theirs.signed_in_at) - Date.now()) < 60_000);

  const ended = await as(`DELETE /users/${email}/sessions/${theirs.id}`);
  t.is(ended.status, 200);
  t.deepEqual(ended.told, { id, email, session: theirs.id, ended: true });
  t.is((await phone!.get('/account')).page, 'login');
  t.is((await desk!.get('/account')).page, 'account');
  t.like((await as('GET /events?type=session.ended')).told.items[0], {
    user: id,
    details: { session: theirs.id, by_client: robot.id },
  });
  const eve = await addPerson(postern, 'eve@example.com');
  const [left] = (await as(`GET /users/${id}/sessions`)).told.items;
  for (const [path, error] of [
    [`${id}/sessions/${theirs.id}`, 'session_unknown'],
    [`${eve.id}/sessions/${left.id}`, 'session_unknown'],
    [`usr_x/sessions/${left.id}`, 'user_unknown'],
  ] as const) {
    const { status, told } = await as(`DELETE /users/${path}`);
    t.is(status, 404, path);
    t.is(told.error, error);
  }
  t.is((await as('GET /users/usr_x/sessions')).status, 404);
  t.is((await desk!.get('/account')).page, 'account');
});

test('a link to a new password is mailed, and told who asks for it', async (t) => {
  const { postern, as, robot } = await opened(t);
  const { id, email } = await addPerson(postern);
  const { status, told } = await as(`POST /users/${email}/password-reset`, { language: 'de' });
  t.is(status, 200);
  t.like(told, { id, email });
  t.regex(told.link, /^http:\/\/localhost:\d+\/account\/reset\?token=[\w-]{43}&ui_locales=de$/);
  t.true(Math.abs(Date.parse(told.expires_at) - Date.now() - 30 * 60_000) < 60_000);
  t.is((await fetch(told.link)).status, 200);
  t.like((await as('GET /events?type=account.reset_asked')).told.items[0], {
    user: id,
    details: { by_client: robot.id },
  });
  t.not((await as(`POST /users/${id}/password-reset`)).told.link, told.link);
  t.is((await as(`POST /users/${id}/password-reset`, { language: 'tlh' })).told.error, 'language_unknown');
  await postern.domain.accounts.setDisabled(id, true);
  t.is((await as(`POST /users/${id}/password-reset`)).told.error, 'user_disabled');
  t.is((await as('POST /users/nobody@example.com/password-reset')).status, 404);
});

test('an invitation is mailed, and is found as the person it made', async (t) => {
  const { as } = await opened(t);
  const { status, told, headers } = await as('POST /invitations', { email: 'bob@example.com', language: 'de' });
  t.is(status, 201);
  t.regex(told.link, /^http:\/\/localhost/);
  t.is((await fetch(headers.get('location')!)).status, 401);
  t.is((await as('GET /users/bob@example.com')).told.id, told.id);
  t.is((await as('POST /invitations', { email: 'x@example.com', language: 'tlh' })).told.error, 'language_unknown');
});

test("this server's own pages are no application to look at, change or remove, and are said to be built in", async (t) => {
  const { as } = await opened(t);
  t.false((await as('GET /clients')).told.items.some(({ client_id }: Told) => client_id === 'account'));
  for (const [line, body] of [
    ['GET /clients/account'],
    ['PATCH /clients/account', { name: 'Mine' }],
    ['POST /clients/account/secret', {}],
    ['DELETE /clients/account'],
  ] as const) {
    const { status, told } = await as(line, body);
    t.is(status, 404, line);
    t.is(told.error, 'client_unknown');
    t.regex(told.error_description, /built in/);
  }
});

test('applications are registered, changed, given another secret and removed; a secret is told once', async (t) => {
  const { postern, as } = await opened(t);
  const made = await as('POST /clients', { name: 'Photos', type: 'web', redirect_uris: [CALLBACK] });
  t.is(made.status, 201);
  const { client_id: id, client_secret: secret } = made.told;
  t.is(made.headers.get('location'), `${apiOf(postern)}/clients/${id}`);
  t.is(secret.length, 43);
  const shown = await as(`GET /clients/${id}`);
  t.like(shown.told, { client_id: id, client_name: 'Photos', redirect_uris: [CALLBACK] });
  t.false(shown.text.includes(secret));
  t.true((await as('GET /clients')).told.items.some((each: Told) => each.client_id === id));

  const updated = await as(`PATCH /clients/${id}`, { name: 'Prints' });
  t.is(updated.status, 200);
  t.is(updated.told.client_name, 'Prints');
  t.deepEqual(updated.told.redirect_uris, [CALLBACK]);

  const rotated = await as(`POST /clients/${id}/secret`, { keep_old_for: 3600 });
  t.is(rotated.status, 200);
  t.not(rotated.told.client_secret, secret);
  t.truthy(rotated.told.old_secret_until);
  t.is((await as(`POST /clients/${id}/secret`)).status, 200, 'a body that may be empty may be left out');

  t.deepEqual((await as(`DELETE /clients/${id}`)).told, { client_id: id, removed: true });
  t.is((await as(`DELETE /clients/${id}`)).told.error, 'client_unknown');
});

test('APIs are found by their URI, encoded or as it is', async (t) => {
  const { postern, as } = await opened(t);
  for (const uri of [
    'https://api.example.com/v1.2/files;x=1?all=yes',
    'urn:example:api',
    'https://api.example.com/a%2Fb',
  ]) {
    const path = `/resources/${encodeURIComponent(uri)}`;
    const made = await as('POST /resources', { uri, scopes: ['a.read'], ttl: 60 });
    t.is(made.status, 201);
    t.is(made.headers.get('location'), `${apiOf(postern)}${path}`);
    t.like((await as(`GET ${path}`)).told, { uri, scopes: ['a.read'], ttl: 60, revocable: false });
    const changed = await as(`PATCH ${path}`, { ttl: null, revocable: true });
    t.like(changed.told, { uri, scopes: ['a.read'], ttl: null, revocable: true });
    t.is((await as('POST /resources', { uri })).status, 409);
    t.deepEqual((await as(`DELETE ${path}`)).told, { uri, removed: true });
    t.is((await as(`GET ${path}`)).told.error, 'resource_unknown');
  }
  await as('POST /resources', { uri: 'https://api.example.com/v1' });
  t.is((await as('GET /resources/https://api.example.com/v1')).status, 200);
  const own = `/resources/${encodeURIComponent(apiOf(postern))}`;
  t.like((await as(`DELETE ${own}`)).told, { error: 'resource_in_use' });
});

test('providers, registration tokens and keys are made, shown and taken away', async (t) => {
  const { as } = await opened(t);
  const provider = { id: 'git', kind: 'github', client_id: 'x', client_secret: 'known to github' };
  const added = await as('POST /upstreams', provider);
  t.is(added.status, 201);
  t.false(added.text.includes('known to github'));
  t.deepEqual((await as('GET /upstreams/git')).told, added.told);
  t.deepEqual((await as('GET /upstreams')).told, { items: [added.told] });
  t.is((await as('PATCH /upstreams/git', { name: 'Git' })).told.name, 'Git');
  t.like(await as('POST /upstreams', provider), { status: 409 });
  t.deepEqual((await as('DELETE /upstreams/git')).told, { id: 'git', removed: true, unlinked: 0 });
  t.is((await as('GET /upstreams/git')).status, 404);

  const leave = await as('POST /registration-tokens', { ttl: 600, uses: 3 });
  t.is(leave.status, 201);
  const tokens = await as('GET /registration-tokens');
  t.like(tokens.told.items, [{ id: leave.told.id, left: 3 }]);
  t.false(tokens.text.includes(leave.told.initial_access_token.split('.')[1]));
  t.is((await as(`DELETE /registration-tokens/${leave.told.id}`)).status, 200);
  t.deepEqual((await as('GET /registration-tokens')).told, { items: [] });
  t.is((await as(`DELETE /registration-tokens/${leave.told.id}`)).status, 404);

  const key = await as('POST /keys', { alg: 'ES256' });
  t.is(key.status, 201);
  t.is((await as('POST /keys', { alg: 'ES256' })).told.error, 'key_pending');
  t.true((await as('GET /keys')).told.items.some(({ kid }: Told) => kid === key.told.kid));
  t.deepEqual((await as(`DELETE /keys/${key.told.kid}`)).told, { kid: key.told.kid, revoked: true });
  t.is((await as(`DELETE /keys/${key.told.kid}`)).status, 404);
  t.is(
    (await as('POST /keys', { pem: 'x' })).told.error,
    'arguments_invalid',
    'a private key stays with the command line',
  );
});

test('what happened, and why a request was refused, is told', async (t) => {
  const { as, postern } = await opened(t);
  const ada = await addPerson(postern);
  await as('POST /users', { email: 'bob@example.com' });
  const all = (await as('GET /events')).told.items;
  t.is(all[0].type, 'account.added');
  t.is((await as('GET /events?limit=1')).told.items.length, 1);
  t.true((await as(`GET /events?user=${ada.id}`)).told.items.every(({ user }: Told) => user === ada.id));
  t.true((await as('GET /events?type=resource')).told.items.every(({ type }: Told) => type.startsWith('resource.')));
  t.is((await as('GET /events?user=nobody@example.com')).status, 400);
  const usr = await addPerson(postern, 'usr_eve@example.com');
  t.is((await as('GET /events?user=usr_eve@example.com')).told.items[0]?.user, usr.id, 'an address, and no id');

  const refused = await as('GET /users/nobody@example.com');
  t.is(refused.status, 404);
  t.like((await as(`GET /refusals/${refused.told.error_id}`)).told, {
    error: 'user_unknown',
    id: refused.told.error_id,
  });
  t.is((await as('GET /refusals/err_none')).status, 404);
});

test('page follows page until everybody was given once', async (t) => {
  const { as, postern } = await opened(t);
  for (let i = 0; i < 7; i += 1) await addPerson(postern, `p${i}@example.com`);
  const seen: string[] = [];
  let after = '';
  do {
    const { told } = await as(`GET /users?limit=3${after && `&after=${encodeURIComponent(after)}`}`);
    t.true(told.items.length <= 3);
    seen.push(...told.items.map(({ email }: Told) => email));
    after = told.next ?? '';
  } while (after);
  t.deepEqual(
    seen.toSorted(),
    [0, 1, 2, 3, 4, 5, 6].map((i) => `p${i}@example.com`),
  );
});

test('what is wrong is told as what it is', async (t) => {
  const { as, token, postern } = await opened(t);
  const wrong: readonly [line: string, body: unknown, status: number, error: string][] = [
    ['POST /users', '{"email":', 400, 'invalid_request'],
    ['POST /users', '[]', 400, 'invalid_request'],
    ['POST /users', {}, 400, 'arguments_invalid'],
    ['POST /users', { email: 'a@b.example', colour: 'red' }, 400, 'arguments_invalid'],
    ['POST /users', { email: 7 }, 400, 'arguments_invalid'],
    ['POST /users', { email: 'nobody' }, 400, 'email_invalid'],
    ['POST /users', { email: 'a@b.example', password: 'short' }, 400, 'password_too_short'],
    ['POST /users?email=x', { email: 'a@b.example' }, 400, 'arguments_invalid'],
    ['PATCH /users/x@example.com', { disabled: true }, 404, 'user_unknown'],
    ['PATCH /users/x@example.com', { disabled: true, user: 'y@example.com' }, 400, 'arguments_invalid'],
    ['POST /clients', { name: 'x', type: 'service', resources: ['https://none.example'] }, 400, 'resource_unknown'],
    ['GET /users?limit=0', undefined, 400, 'arguments_invalid'],
    ['GET /users?limit=1001', undefined, 400, 'arguments_invalid'],
    ['GET /users?limit=1&limit=2', undefined, 400, 'arguments_invalid'],
    ['GET /users?colour=red', undefined, 400, 'arguments_invalid'],
    ['GET /', undefined, 404, 'not_found'],
    ['GET ', undefined, 404, 'not_found'],
    ['GET /nothing', undefined, 404, 'not_found'],
    ['GET /users/', undefined, 404, 'not_found'],
    ['GET /users/a/b', undefined, 404, 'not_found'],
    ['DELETE /users', undefined, 405, 'invalid_request'],
    ['PUT /clients/x', {}, 405, 'invalid_request'],
    ['POST /openapi.json', {}, 405, 'invalid_request'],
    ['POST /users', { email: `${'x'.repeat(20_000)}@example.com` }, 413, 'invalid_request'],
    ['POST /users', { email: `${'x'.repeat(60_000)}@example.com` }, 413, 'invalid_request'],
    ['GET /users/%ff', undefined, 400, 'invalid_request'],
  ];
  for (const [line, body, status, error] of wrong) {
    const answer = await as(line, body);
    t.is(answer.status, status, line);
    t.is(answer.told.error, error, line);
    t.deepEqual(Object.keys(answer.told), ['error', 'error_description', 'error_id'], line);
  }
  t.is((await as('DELETE /users')).headers.get('allow'), 'GET, HEAD, POST, OPTIONS');
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const { status } = await ask(postern, 'POST /users', { token, body: 'email=a@b.example', headers: form });
  t.is(status, 415);
});

test('HEAD is GET without a body', async (t) => {
  const { as } = await opened(t);
  const { status, text } = await as('HEAD /users');
  t.is(status, 200);
  t.is(text, '');
});

test('an application in a browser may ask from wherever it is served', async (t) => {
  const { postern, token } = await opened(t);
  const headers = { origin: 'https://operator.example' };
  const asked = await ask(postern, 'OPTIONS /users/x', {
    headers: {
      ...headers,
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': 'authorization',
    },
  });
  t.is(asked.status, 204);
  t.true(asked.headers.get('access-control-allow-methods')?.split(',').includes('PATCH'));
  t.is(asked.headers.get('access-control-allow-headers'), 'authorization');
  for (const shown of [token, undefined]) {
    const answer = await ask(postern, 'GET /users', { token: shown, headers });
    t.is(answer.headers.get('access-control-allow-origin'), 'https://operator.example');
    t.is(answer.headers.get('access-control-allow-credentials'), null);
    t.regex(answer.headers.get('access-control-expose-headers') ?? '', /WWW-Authenticate/);
  }
});
