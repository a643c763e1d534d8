import test from 'ava';
import * as oidc from 'openid-client';
import { createLogger } from '../../src/http/index.ts';
import { authorize, discover, request } from '../support/client.ts';
import { send } from '../support/hostile.ts';
import { addClient, addPerson, CALLBACK, type Postern, startPostern } from '../support/postern.ts';
import { until } from '../support/until.ts';
import { UserAgent } from '../support/user-agent.ts';

let postern: Postern;
let lines: string[] = [];
test.before(async () => {
  const destination = { write: (line: string) => void lines.push(line) };
  postern = await startPostern({ log: createLogger({ level: 'debug', destination }) });
  await addPerson(postern);
});
test.after.always(() => postern.close());
test.beforeEach(() => {
  lines = [];
});

/** What `postern explain ID` prints, and the log lines that name the id. */
async function explained(id: string) {
  const refusal = await postern.domain.refusals.get(id);
  if (!refusal) throw new Error(`nothing is known of ${id}`);
  // The log line is written when the answer has left.
  await until(() => lines.some((line) => line.includes(`"${id}"`)));
  return { refusal, logged: lines.filter((line) => line.includes(`"${id}"`)).map((line) => JSON.parse(line)) };
}

const idOn = (html: string): string => /err_[\w-]{8,}/.exec(html)?.[0] ?? '';

const post = (path: string, body: Record<string, string>, headers: Record<string, string> = {}) =>
  send(postern.url, {
    method: 'POST',
    path,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(body).toString(),
  });

const basic = ({ id, secret = '' }: { id: string; secret?: string | undefined }) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
});

test.serial(
  'the error page shows one safe sentence and an id; the id tells what was asked, what is registered, and the rule',
  async (t) => {
    const client = await addClient(postern, { name: 'Holiday Album' });
    const { url } = await request(await discover(postern, client), {
      redirect_uri: 'https://evil.example/<b>callback</b>',
      login_hint: 'ada@example.com',
    });
    lines = [];
    const page = await new UserAgent(postern.issuer).get(url);
    t.is(page.status, 400);
    t.is(page.page, 'error');
    t.notRegex(page.html, /evil\.example|<b>|localhost:4999|redirect_uri/, 'nothing of the request is on the page');
    t.is([...page.html.matchAll(/role="alert"/g)].length, 1);
    const { refusal, logged } = await explained(idOn(page.html));
    t.is(refusal.error, 'invalid_redirect_uri');
    t.regex(refusal.rule, /redirect_uri/);
    t.is(refusal.asked['redirect_uri'], 'https://evil.example/<b>callback</b>');
    t.is(refusal.asked['client_id'], client.id);
    t.deepEqual(refusal.registered['redirect_uris'], [CALLBACK]);
    t.is(refusal.registered['name'], 'Holiday Album');
    t.is(logged.length, 1);
    t.is(logged[0].refusal, idOn(page.html));
    t.is(logged[0].client_id, client.id);
    t.is(logged[0].path, '/authorize');
  },
);

test.serial('an error that travels back to the application is explained too, by the id in the log', async (t) => {
  const { url } = await request(await discover(postern, await addClient(postern)), { code_challenge_method: 'plain' });
  lines = [];
  const { left } = await new UserAgent(postern.issuer).get(url);
  t.is(left?.searchParams.get('error'), 'invalid_request');
  await until(() => lines.some((line) => line.includes('"refusal"')));
  const line = lines.map((text) => JSON.parse(text)).find(({ refusal }) => refusal);
  t.is(line?.error, 'invalid_request');
  const { refusal } = await explained(line.refusal);
  t.is(refusal.asked['code_challenge_method'], 'plain');
  t.regex(refusal.rule, /code_challenge_method/);
});

test.serial('no rule says one thing twice, whatever was refused', async (t) => {
  const { id, secret } = await addClient(postern, { passwordGrant: true });
  const asks: readonly [string, Record<string, string>, Record<string, string>][] = [
    ['/introspect', { token: 'x' }, {}],
    ['/introspect', { token: 'x' }, { authorization: 'Basic' }],
    ['/introspect', { token: 'x' }, { authorization: 'Bearer x' }],
    ['/introspect', { token: 'x' }, basic({ id, secret: `${secret}x` })],
    ['/userinfo', {}, {}],
    ['/userinfo', {}, { authorization: 'Bearer x' }],
    ['/token', { grant_type: 'password', username: 'ada@example.com', password: 'wrong' }, basic({ id, secret })],
    ['/token', { grant_type: 'refresh_token', refresh_token: 'x' }, basic({ id, secret })],
  ];
  for (const [path, body, headers] of asks) {
    const { text } = await post(path, body, headers);
    const { rule } = (await explained(JSON.parse(text).error_id)).refusal;
    const said = rule.split(': ');
    t.is(new Set(said).size, said.length, `${path}: ${rule}`);
  }
});

test.serial('JSON errors carry error_id, and the explanation has what is registered and no secret', async (t) => {
  const client = await addClient(postern);
  const { tokens } = await authorize(postern, client);
  const secrets = {
    client_secret: 'a-Secret-That-Was-Typed-4711-aaaaaaaaaaaaaa',
    code: 'a-Code-That-Was-Sent-4711-bbbbbbbbbbbbbbbbbb',
    code_verifier: `${'v'.repeat(42)}Z`,
    refresh_token: tokens.refresh_token!,
    token: tokens.access_token,
    password: 'a Password 4711',
    client_assertion: tokens.id_token!,
  };
  lines = [];
  const asks: [string, Record<string, string>, Record<string, string>, number][] = [
    [
      '/token',
      {
        grant_type: 'authorization_code',
        code: secrets.code,
        code_verifier: secrets.code_verifier,
        redirect_uri: CALLBACK,
      },
      basic(client),
      400,
    ],
    ['/token', { grant_type: 'refresh_token', client_id: client.id, client_secret: secrets.client_secret }, {}, 401],
    ['/token', { grant_type: 'refresh_token', refresh_token: `${secrets.refresh_token}x` }, basic(client), 400],
    ['/token', { grant_type: 'password', username: 'ada@example.com', password: secrets.password }, basic(client), 400],
    ['/token', { grant_type: 'client_credentials', client_assertion: secrets.client_assertion }, {}, 400],
    ['/introspect', { token: secrets.token, client_id: 'nobody', client_secret: secrets.client_secret }, {}, 401],
    ['/revoke', { token: secrets.token, client_id: client.id, client_secret: secrets.client_secret }, {}, 401],
    ['/par', { client_id: client.id, client_secret: secrets.client_secret, scope: 'openid' }, {}, 401],
  ];
  for (const [path, body, headers, status] of asks) {
    const { status: got, text } = await post(path, body, headers);
    t.is(got, status, `${path} ${text}`);
    const { error, error_id, error_description } = JSON.parse(text) as Record<string, string>;
    t.truthy(error_description);
    const { refusal, logged } = await explained(error_id!);
    t.is(refusal.error, String(error));
    t.is(logged.length, 1, path);
    t.is(logged[0].error, error);
    t.is(refusal.asked['endpoint'], path);
    t.truthy(refusal.rule);
    if (!('client_assertion' in body) && body['client_id'] !== 'nobody')
      t.is(refusal.registered['client_id'], client.id, `${path} ${JSON.stringify(refusal)}`);
    const told = JSON.stringify(refusal) + lines.join('\n');
    for (const [name, secret] of Object.entries({ ...secrets, own: client.secret! }))
      t.false(told.includes(secret), `${name} in the explanation of ${path}`);
  }
});

test.serial('which scopes there are is told where one is refused that is not among them', async (t) => {
  const resource = 'https://scopes.example.com';
  await postern.domain.resources.add({ uri: resource, scopes: ['files.read', 'files.write'] });
  const client = await addClient(postern, {
    type: 'service',
    redirectUris: [],
    resources: [resource],
    scopes: ['files.read'],
  });
  const ruleFor = async (scope: string) => {
    const { text } = await post('/token', { grant_type: 'client_credentials', scope }, basic(client));
    t.false(text.includes('files.read'), 'the caller is not told');
    return (await explained(JSON.parse(text).error_id)).refusal.rule;
  };
  t.regex(await ruleFor('files.delete'), /https:\/\/scopes\.example\.com defines files\.read files\.write$/);
  t.regex(await ruleFor('files.write'), /the client was not given files\.write$/);
});

test.serial('nobody signs in for an application that asks for nothing there is: it is told, and why', async (t) => {
  const [api, bare] = ['https://sights.example.com', 'https://bare.example.com'];
  await postern.domain.resources.add({ uri: api, scopes: ['sights.read'] });
  await postern.domain.resources.add({ uri: bare });
  const config = await discover(postern, await addClient(postern, { resources: [api, bare] }));
  for (const [asked, rule] of [
    [{ scope: '' }, /asks for openid; https:\/\/sights\.example\.com has sights\.read$/],
    [{ scope: 'sihgts.read' }, /sights\.example\.com has sights\.read$/],
    [{ scope: 'sights.read', resource: bare }, /bare\.example\.com has no scopes for this client$/],
    [{ scope: 'nonsense', prompt: 'select_account' }, /has sights\.read$/],
    [{ scope: 'nonsense', prompt: 'none' }, /has sights\.read$/],
  ] as const) {
    const { url, state } = await request(config, asked);
    url.searchParams.delete('nonce');
    lines = [];
    const { left } = await new UserAgent(postern.issuer).get(url);
    t.is(left?.searchParams.get('error'), 'invalid_scope', JSON.stringify(asked));
    t.truthy(left?.searchParams.get('error_description'));
    t.is(left?.searchParams.get('state'), state);
    await until(() => lines.some((line) => line.includes('"refusal"')));
    const { refusal = '' } = JSON.parse(lines.find((line) => line.includes('"refusal"')) ?? '{}');
    t.regex((await explained(refusal)).refusal.rule, rule);
  }
});

test.serial(
  'who pushes such a request, or makes it on a device, is told at once, before a person is bothered',
  async (t) => {
    const api = 'https://peaks.example.com';
    await postern.domain.resources.add({ uri: api, scopes: ['peaks.read'] });
    const client = await addClient(postern, { resources: [api], deviceGrant: true });
    const { url } = await request(await discover(postern, client), { scope: 'paeks.read' });
    url.searchParams.delete('nonce');
    for (const path of ['/par', '/device_authorization']) {
      const refused = await post(path, Object.fromEntries(url.searchParams), basic(client));
      t.is(refused.status, 400, path);
      const { error, error_id } = JSON.parse(refused.text) as Record<string, string>;
      t.is(error, 'invalid_scope', path);
      t.regex((await explained(error_id!)).refusal.rule, /peaks\.example\.com has peaks\.read$/, path);
      url.searchParams.set('scope', 'peaks.read');
      t.true((await post(path, Object.fromEntries(url.searchParams), basic(client))).status < 300, path);
      url.searchParams.set('scope', 'paeks.read');
    }
  },
);

test.serial(
  'the client that a header names is told, a secret in its place is not, and where none is named that is said',
  async (t) => {
    const refusalOf = async (headers: Record<string, string>) => {
      const { text } = await post('/token', { grant_type: 'client_credentials' }, headers);
      return (await explained(JSON.parse(text).error_id)).refusal;
    };
    const mistyped = await refusalOf(basic({ id: 'cli_mistyped', secret: 'x' }));
    t.is(mistyped.asked['client_id'], 'cli_mistyped');
    t.is(mistyped.registered['client'], 'there is no client of this id');
    const swapped = await refusalOf(basic({ id: 'D2E9WHMOHRr4t-IHQBUhEgJ8hO6aLlqNebgTZ7VHDIk', secret: 'cli_1' }));
    t.is(swapped.asked['client_id'], '(hidden: ids begin with cli_)');
    t.is((await refusalOf({})).registered['client'], 'the request names none');
  },
);

test.serial('why a client was not believed is the operator’s to know, not the caller’s', async (t) => {
  const client = await addClient(postern);
  const rules: string[] = [];
  const answers = new Set<string>();
  for (const id of [client.id, 'cli_nobody']) {
    const { text, status } = await post('/token', { grant_type: 'refresh_token' }, basic({ id, secret: 'wrong' }));
    const { error_id, ...said } = JSON.parse(text) as Record<string, string>;
    answers.add(`${status} ${JSON.stringify(said)}`);
    rules.push((await explained(error_id!)).refusal.rule);
  }
  t.is(answers.size, 1, 'an unknown client and a wrong secret are told the same');
  t.not(rules[0], rules[1]);
});

test.serial('a form refused at the edge and an interaction that is over are explained with their rule', async (t) => {
  const config = await discover(postern, await addClient(postern));
  const agent = new UserAgent(postern.issuer);
  const login = await agent.get((await request(config)).url);
  const forged = await agent.submit(login, { csrf: 'x', email: 'ada@example.com', password: 'a Password 4711' });
  const csrf = await explained(idOn(forged.html));
  t.regex(csrf.refusal.rule, /token/);
  t.false(JSON.stringify(csrf).includes('4711'));
  const over = await new UserAgent(postern.issuer).get(login.url);
  t.regex((await explained(idOn(over.html))).refusal.rule, /\w+ \w+ \w+/);
});

test.serial('a bug of ours is a 500 with an id; its stack is in the log and nowhere else', async (t) => {
  const client = await addClient(postern, { type: 'service', redirectUris: [] });
  const { resources } = postern.domain;
  const { get } = resources;
  Object.assign(resources, { get: () => Promise.reject(new Error('the inside of the house')) });
  try {
    lines = [];
    const { status, text } = await post('/token', { grant_type: 'client_credentials' }, basic(client));
    t.is(status, 500);
    const { error, error_id } = JSON.parse(text) as Record<string, string>;
    t.is(error, 'server_error');
    t.notRegex(text, /inside|oops| at /);
    const { refusal, logged } = await explained(error_id!);
    t.notRegex(JSON.stringify(refusal), /inside/);
    t.true(logged.some(({ err }) => /the inside of the house/.test(err?.stack)));
  } finally {
    Object.assign(resources, { get });
  }
  t.truthy((await oidc.clientCredentialsGrant(await discover(postern, client))).access_token);
});
