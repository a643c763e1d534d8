import { createHash, createHmac, generateKeyPairSync, sign } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import { authorize, discover, request } from '../support/client.ts';
import {
  BAD_JWTS,
  dressed,
  encodePairs,
  hostileText,
  type Pairs,
  type Reply,
  type Sent,
  send,
  spoiled,
} from '../support/hostile.ts';
import { addClient, addPerson, CALLBACK, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { changed, kept } from '../support/tables.ts';
import { UserAgent } from '../support/user-agent.ts';

const SEED = Number(process.env['POSTERN_FUZZ_SEED'] ?? 20_260_401);
const RUNS = Number(process.env['POSTERN_FUZZ_RUNS'] ?? 200);
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const API = 'https://files.example.com';

/** RFC 6749 §4.1.2.1 and §5.2, 6750, 7009, 8707, 9126, 9449, 9101, OIDC Core §3.1.2.6. */
const CODES = new Set(
  `invalid_request invalid_client invalid_grant unauthorized_client unsupported_grant_type invalid_scope invalid_target
  invalid_token insufficient_scope invalid_dpop_proof use_dpop_nonce unsupported_token_type invalid_request_uri
  invalid_redirect_uri unsupported_response_type unsupported_response_mode request_not_supported
  request_uri_not_supported registration_not_supported login_required consent_required interaction_required
  access_denied`.split(/\s+/),
);

let postern: Postern;
let web: { id: string; secret?: string | undefined };
let keyed: { id: string };
let keyedSign: (claims: object, header?: object) => Promise<string>;
let signedIn: Awaited<ReturnType<typeof authorize>>;
let sent = 0;

test.before(async () => {
  postern = await startPostern();
  await addPerson(postern);
  await postern.domain.resources.add({ uri: API, scopes: ['files.read'] });
  web = await addClient(postern, { passwordGrant: true, deviceGrant: true, resources: [API] });
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  keyed = await addClient(postern, { type: 'service', redirectUris: [], resources: [API], jwks: { keys: [jwk] } });
  keyedSign = (claims, header) =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256', kid: 'k1', ...header }).sign(privateKey);
  signedIn = await authorize(postern, web);
});
test.after.always(() => postern.close());

const basic = (id = web.id, secret = web.secret ?? '') => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
});

/** What stands for a secret of the server's inside in an answer. */
const INSIDE = /node_modules|\.ts:\d|\.js:\d|at \w+ \(|oops|TypeError|undefined is not|Cannot read/;

const isPage = ({ headers }: Reply): boolean => /^text\/html/.test(String(headers['content-type']));

/** What is true of every answer to whatever is sent. */
function harmless(reply: Reply): void {
  if (reply.status >= 500) throw new Error(`${reply.status} ${reply.text.slice(0, 300)}`);
  if (INSIDE.test(reply.text)) throw new Error(`tells of its inside: ${reply.text.slice(0, 500)}`);
  const { location } = reply.headers;
  if (location !== undefined) {
    const to = new URL(String(location), postern.issuer);
    if (to.origin !== postern.issuer && to.origin + to.pathname !== CALLBACK)
      throw new Error(`sends people to ${to.href}`);
    if (to.href.startsWith(CALLBACK)) {
      const said = new URLSearchParams(to.hash ? to.hash.slice(1) : to.search);
      if (!CODES.has(said.get('error') ?? '')) throw new Error(`sent back with ${to.href}`);
      if (said.get('iss') !== postern.issuer) throw new Error(`sent back without iss: ${to.href}`);
    }
  }
  if (reply.headers['cache-control'] !== 'no-store') throw new Error(`may be kept: ${reply.headers['cache-control']}`);
}

/** What a program is told: the standard's error in JSON, and an id to ask about. */
function tellsProgram(reply: Reply): void {
  if (reply.status < 400) return;
  if (!/^application\/json/.test(String(reply.headers['content-type'])))
    throw new Error(`${reply.status} as ${reply.headers['content-type']}: ${reply.text.slice(0, 200)}`);
  const { error, error_id } = JSON.parse(reply.text) as { error: string; error_id: string };
  if (!CODES.has(error)) throw new Error(`error ${error}`);
  if (!/^err_[\w-]+$/.test(error_id)) throw new Error(`no id: ${reply.text}`);
}

/** What a person is shown: a page that names the fault and has an id. */
function tellsPerson(reply: Reply): void {
  if (reply.status < 400) return;
  if (!isPage(reply)) throw new Error(`${reply.status} as ${reply.headers['content-type']}`);
  if (!/data-page="error"/.test(reply.text)) throw new Error(`no error page: ${reply.text.slice(0, 300)}`);
  if (!/err_[\w-]{8,}/.test(reply.text) || !/role="alert"/.test(reply.text)) throw new Error('no id, or no sentence');
}

interface Rules {
  readonly tells: (reply: Reply) => void;
  /** An answer that rightly changes something. */
  readonly serves?: (reply: Reply) => boolean;
}

/** Sends each of many requests and holds its answer, and the store, to the rules. */
async function holds(t: ExecutionContext, requests: fc.Arbitrary<Sent>, { tells, serves = () => false }: Rules) {
  let before = await kept(postern.store);
  await fc.assert(
    fc.asyncProperty(requests, async (request) => {
      const reply = await send(postern.url, request);
      sent++;
      harmless(reply);
      tells(reply);
      const after = await kept(postern.store);
      const changes = changed(before, after);
      before = after;
      if (changes.length > 0 && !serves(reply)) throw new Error(`changed the store: ${reply.status} ${changes}`);
    }),
    { numRuns: RUNS, seed: SEED, endOnFailure: true, includeErrorInReport: true },
  );
  t.pass();
}

const goodAuth = () => fc.constant<Record<string, string | string[]>>(basic());
const headers = (): fc.Arbitrary<Record<string, string | string[]>> =>
  fc.oneof(
    { weight: 5, arbitrary: goodAuth() },
    {
      weight: 5,
      arbitrary: fc.constantFrom<Record<string, string | string[]>>(
        {},
        basic(web.id, 'wrong'),
        basic('cli_nobody', 'x'),
        basic('x'.repeat(900), 'y'),
        basic('__proto__', 'constructor'),
        basic('%ff', '%zz'),
        { authorization: 'Basic' },
        { authorization: 'Basic ====' },
        { authorization: 'Basic OjpfOg==' },
        { authorization: 'Basic gICA' },
        { authorization: `basic ${Buffer.from(`${web.id}`).toString('base64')}` },
        { authorization: 'Bearer x' },
        { authorization: 'DPoP x' },
        { authorization: 'Negotiate abc' },
        { authorization: `Bearer ${signedIn.tokens.access_token}` },
        { authorization: [basic().authorization, 'Bearer x'] },
        { ...basic(), dpop: 'x' },
        { ...basic(), dpop: BAD_JWTS[12]! },
        { ...basic(), dpop: [BAD_JWTS[1]!, BAD_JWTS[2]!] },
        { ...basic(), accept: 'text/html' },
        { accept: 'text/html,application/xhtml+xml' },
        { ...basic(), accept: 'image/png' },
        { ...basic(), origin: 'https://evil.example' },
        { ...basic(), 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
        { ...basic(), expect: '100-continue' },
        { ...basic(), 'oauth-client-attestation': 'x.y.z', 'oauth-client-attestation-pop': 'x' },
        { ...basic(), cookie: 'postern.session=__proto__; postern.session=x; =; postern.session.sig=%00' },
      ),
    },
  );

/** A POST of spoiled parameters, in any dress, with any credentials. */
const posts = (path: string, honest: fc.Arbitrary<Pairs>): fc.Arbitrary<Sent> =>
  fc
    .tuple(spoiled(honest).chain(dressed), headers())
    .map(([{ body, headers: type }, more]) => ({ method: 'POST', path, body, headers: { ...type, ...more } }) as Sent);

const challenge = createHash('sha256').update('v'.repeat(43)).digest('base64url');
const authorization = (): Pairs => [
  ['client_id', web.id],
  ['redirect_uri', CALLBACK],
  ['response_type', 'code'],
  ['scope', 'openid profile'],
  ['state', 'state'],
  ['nonce', 'nonce'],
  ['code_challenge', challenge],
  ['code_challenge_method', 'S256'],
];

test.serial('/token: the standard error in JSON, and nothing is changed', async (t) => {
  const grants = fc.constantFrom<Pairs>(
    [
      ['grant_type', 'authorization_code'],
      ['code', 'x'.repeat(43)],
      ['redirect_uri', CALLBACK],
      ['code_verifier', 'v'.repeat(43)],
    ],
    [
      ['grant_type', 'refresh_token'],
      ['refresh_token', `${signedIn.tokens.refresh_token!.slice(0, -6)}AAAAAA`],
      ['scope', 'openid'],
      ['resource', API],
    ],
    [
      ['grant_type', 'client_credentials'],
      ['client_id', keyed.id],
      ['client_assertion_type', ASSERTION],
      ['client_assertion', 'x.y.z'],
      ['scope', 'files.read'],
    ],
    [
      ['grant_type', 'password'],
      ['username', 'nobody'],
      ['password', 'wrong'],
    ],
    [
      ['grant_type', 'urn:ietf:params:oauth:grant-type:device_code'],
      ['device_code', 'x'],
    ],
  );
  await holds(t, posts('/token', grants), { tells: tellsProgram });
});

test.serial('/par: the same, and a request_uri only for what it could mean', async (t) => {
  await holds(t, posts('/par', fc.constant(authorization())), {
    tells: tellsProgram,
    serves: ({ status }) => status === 201,
  });
});

test.serial('/device_authorization: the same, and a code only for what it could mean', async (t) => {
  const asked: Pairs = [
    ['client_id', web.id],
    ['scope', 'openid profile'],
    ['resource', API],
    ['acr_values', 'urn:postern:acr:two-factor'],
    ['max_age', '10'],
  ];
  await holds(t, posts('/device_authorization', fc.constant(asked)), {
    tells: tellsProgram,
    serves: ({ status }) => status === 200,
  });
});

test.serial('/device and what comes back to it: a page, and no device is told anything', async (t) => {
  const shown = await oidc.initiateDeviceAuthorization(await discover(postern, web), { scope: 'openid' });
  const agent = new UserAgent(postern.issuer);
  const page = await agent.get('/device');
  const csrf = /name="csrf" value="([^"]*)"/.exec(page.html)?.[1] ?? '';
  await agent.submit(page, { user_code: shown.user_code });
  const state = new URL(agent.visited.find((url) => url.includes('state='))!).searchParams.get('state')!;
  const cookie = agent.cookieHeader('/');
  const accept = 'text/html';
  const typed = fc.tuple(
    spoiled(
      fc.constantFrom<Pairs>(
        [
          ['csrf', csrf],
          ['user_code', 'BBBB-BBBB'],
        ],
        [['csrf', 'x'.repeat(65)]],
      ),
    ),
    fc.boolean(),
  );
  const forms = typed.map(
    ([pairs, known]): Sent => ({
      method: 'POST',
      path: '/device',
      body: encodePairs(pairs),
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept, ...(known && { cookie }) },
    }),
  );
  await holds(t, forms, {
    tells: (reply) => {
      if (!/data-page="device"/.test(reply.text)) return tellsPerson(reply);
      if (![400, 429].includes(reply.status) || !/role="alert"/.test(reply.text)) throw new Error(`${reply.status}`);
    },
  });
  const answers = fc.tuple(
    spoiled(
      fc.constantFrom<Pairs>(
        [
          ['state', state],
          ['code', 'x'.repeat(43)],
          ['iss', postern.issuer],
        ],
        [
          ['state', `${state.slice(0, -4)}AAAA`],
          ['error', 'access_denied'],
        ],
      ),
    ),
    fc.constantFrom('/device/signed-in', '/device/allowed', '/device/x'),
  );
  const gets = answers.map(([query, path]): Sent => ({ method: 'GET', path, query, headers: { accept, cookie } }));
  await holds(t, gets, {
    tells: (reply) => {
      if (reply.status >= 400 && !/data-page="not-found"/.test(reply.text)) tellsPerson(reply);
      if (reply.status === 303 && reply.headers.location !== '/device/over')
        throw new Error(`${reply.headers.location}`);
    },
  });
});

test.serial('/introspect and /revoke: the same, and what is no token is no error', async (t) => {
  const tokens = fc.constantFrom<Pairs>(
    [
      ['token', 'x'],
      ['token_type_hint', 'refresh_token'],
    ],
    [['token', `${signedIn.tokens.access_token}A`]],
    [['token', signedIn.tokens.id_token!]],
  );
  await holds(t, posts('/introspect', tokens), { tells: tellsProgram });
  await holds(t, posts('/revoke', tokens), { tells: tellsProgram });
});

test.serial('/userinfo: 401 or 400 in JSON, by GET and by POST', async (t) => {
  const token = fc.oneof(hostileText(), fc.constant(`${signedIn.tokens.access_token}x`));
  const get = fc.tuple(fc.constantFrom('Bearer', 'DPoP', 'bearer', 'Basic', ''), token, headers()).map(
    ([scheme, value, more]): Sent => ({
      method: 'GET',
      path: '/userinfo',
      headers: { ...more, authorization: `${scheme} ${encodeURIComponent(value.toWellFormed()).slice(0, 6000)}` },
    }),
  );
  await holds(t, get, { tells: tellsProgram });
  await holds(t, posts('/userinfo', fc.constant<Pairs>([['access_token', 'x']])), { tells: tellsProgram });
});

test.serial(
  '/authorize: back to the registered address with an error and iss, or a page; never elsewhere',
  async (t) => {
    const accept = fc.constantFrom({ accept: 'text/html' }, { accept: 'text/html,*/*;q=0.8' });
    const requests = fc
      .tuple(
        spoiled(fc.constant([...authorization(), ['prompt', 'login'], ['max_age', '10'], ['resource', API]])),
        accept,
      )
      .map(([query, more]): Sent => ({ method: 'GET', path: '/authorize', query, headers: more }));
    await holds(t, requests, { tells: tellsPerson });
    const post = posts('/authorize', fc.constant(authorization()));
    const posted = await send(postern.url, {
      method: 'POST',
      path: '/authorize',
      body: encodePairs([...authorization(), ['prompt', 'none']]),
      headers: { 'content-type': 'application/x-www-form-urlencoded', cookie: signedIn.agent.cookieHeader('/') },
    });
    t.is(posted.status, 303, 'an application may ask by POST (OIDC Core §3.1.2.1)');
    const { left } = await signedIn.agent.get(String(posted.headers.location));
    t.truthy(left?.searchParams.get('code'));
    await holds(t, post, {
      tells: (reply) => {
        if (isPage(reply)) tellsPerson(reply);
      },
    });
  },
);

test.serial('/authorize takes a long request by POST as it does by GET', async (t) => {
  for (const [length, status] of [
    [7_000, 303],
    [9_000, 414],
  ] as const) {
    const body = new URLSearchParams({ ...Object.fromEntries(authorization()), state: 's'.repeat(length) });
    const got = await fetch(`${postern.issuer}/authorize?${body}`, { redirect: 'manual' });
    const posted = await fetch(`${postern.issuer}/authorize`, { method: 'POST', body, redirect: 'manual' });
    t.is(posted.status, 303);
    const onwards = await fetch(new URL(posted.headers.get('location')!, postern.issuer), { redirect: 'manual' });
    t.deepEqual([onwards.status, got.status], [status, status]);
  }
});

test.serial('/authorize with a session: what is refused changes nothing of it', async (t) => {
  const cookie = signedIn.agent.cookieHeader('/');
  const wrong = fc.constantFrom<Pairs[number]>(
    ['prompt', 'none login'],
    ['prompt', 'create'],
    ['prompt', 'select_accounts'],
    ['max_age', '-1'],
    ['max_age', 'NaN'],
    ['max_age', '1.5'],
    ['code_challenge', 'short'],
    ['code_challenge', ''],
    ['code_challenge_method', 'plain'],
    ['response_type', 'token'],
    ['response_type', 'code id_token'],
    ['response_type', 'none'],
    ['response_type', ''],
    ['response_mode', 'web_message'],
    ['response_mode', 'jwt'],
    ['response_mode', '__proto__'],
    ['resource', `${API}#fragment`],
    ['resource', 'not a uri'],
    ['resource', 'https://other.example.com'],
    ['scope', 'openid "quoted"'],
    ['id_token_hint', BAD_JWTS[1]!],
    ['id_token_hint', signedIn.tokens.access_token],
    ['request', BAD_JWTS[4]!],
    ['request_uri', 'https://evil.example/request'],
    ['request_uri', 'urn:ietf:params:oauth:request_uri:unknown'],
    ['registration', '{}'],
    ['redirect_uri', 'https://evil.example/'],
    ['client_id', 'cli_nobody'],
  );
  const requests = wrong.map(
    (pair): Sent => ({
      method: 'GET',
      path: '/authorize',
      query: [...authorization().filter(([name]) => name !== pair[0]), pair],
      headers: { cookie, accept: 'text/html' },
    }),
  );
  await holds(t, requests, {
    tells: (reply) => {
      tellsPerson(reply);
      if (reply.status < 300) throw new Error(`shown as if nothing were wrong: ${reply.status}`);
      if (String(reply.headers.location).includes('code=')) throw new Error('a code was given');
    },
  });
});

test.serial('near misses of a redirect URI are refused on a page', async (t) => {
  for (const near of [
    'http://localhost:4999/Callback',
    'http://LOCALHOST:4999/callback',
    'http://localhost:4999/callback/',
    'http://localhost:4998/callback',
    'http://localhost/callback',
    'https://localhost:4999/callback',
    'http://localhost:4999/callback?x=1',
    'http://localhost:4999/callback#x',
    'http://localhost:4999/x/../callback',
    'http://localhost:4999/%63allback',
    'http://localhost:4999//callback',
    'http://user@localhost:4999/callback',
    'http://localhost:4999@evil.example/callback',
    'http://localhost.evil.example:4999/callback',
    'http://localhost:4999\\@evil.example/callback',
    'http://localhost:4999/callback\0',
    ' http://localhost:4999/callback',
    'http://localhost:4999/callback ',
    '//localhost:4999/callback',
    '/callback',
    'javascript:alert(1)',
    'http://127.0.0.1:4999/callback',
  ]) {
    for (const mode of ['query', 'fragment', 'form_post']) {
      const query: Pairs = [
        ...authorization().map(([name, value]) => [name, name === 'redirect_uri' ? near : value] as const),
        ['response_mode', mode],
        ['prompt', 'none'],
      ];
      const accept = { accept: 'text/html' };
      const reply = await send(postern.url, { method: 'GET', path: '/authorize', query, headers: accept });
      t.is(reply.status, 400, near);
      t.is(reply.headers.location, undefined);
      harmless(reply);
      tellsPerson(reply);
      sent++;
    }
  }
});

test.serial('/logout and what follows it: a page that names the fault', async (t) => {
  const honest: Pairs = [
    ['id_token_hint', signedIn.tokens.id_token!],
    ['post_logout_redirect_uri', 'https://evil.example/'],
    ['client_id', web.id],
    ['state', 's'],
    ['ui_locales', 'de'],
  ];
  const gets = spoiled(fc.constant(honest)).map(
    (query): Sent => ({ method: 'GET', path: '/logout', query, headers: { accept: 'text/html' } }),
  );
  await holds(t, gets, { tells: tellsPerson, serves: ({ status }) => status === 200 });
  const rest = fc.tuple(
    fc.constantFrom('/logout/confirm', '/logout/success'),
    spoiled(
      fc.constant<Pairs>([
        ['xsrf', 'x'],
        ['logout', 'yes'],
        ['client_id', 'x'],
      ]),
    ),
    fc.boolean(),
  );
  const forms = rest.map(([path, pairs, known]): Sent => {
    const cookie: Record<string, string> = known ? { cookie: signedIn.agent.cookieHeader('/') } : {};
    return path === '/logout/success'
      ? { method: 'GET', path, query: pairs, headers: { accept: 'text/html', ...cookie } }
      : {
          method: 'POST',
          path,
          body: encodePairs(pairs),
          headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html', ...cookie },
        };
  });
  await holds(t, forms, { tells: tellsPerson });
});

test.serial('the sign-in and consent forms: a 4xx page, and nobody is signed in by it', async (t) => {
  const agent = new UserAgent(postern.issuer);
  const { url } = await request(await discover(postern, web));
  const login = await agent.get(url);
  const uid = new URL(login.url).pathname;
  const csrf = /name="csrf" value="([^"]*)"/.exec(login.html)?.[1] ?? '';
  const forms = fc
    .tuple(
      fc.constantFrom('/login', '/consent', '', '/__proto__', '/../x'),
      spoiled(
        fc.constant<Pairs>([
          ['csrf', csrf],
          ['email', 'nobody@example.com'],
          ['password', 'wrong password'],
          ['decision', 'maybe'],
        ]),
      ).chain(dressed),
      fc.constantFrom({}, { cookie: agent.cookieHeader(uid) }, { cookie: 'postern.interaction=x; postern.csrf=y' }),
    )
    .map(
      ([step, { body, headers: type }, cookie]): Sent => ({
        method: 'POST',
        path: `${uid}${step}`,
        ...(body !== undefined && { body }),
        headers: { accept: 'text/html', ...type, ...cookie } as Record<string, string>,
      }),
    );
  await holds(t, forms, {
    tells: (reply) => {
      if (reply.status >= 400 && !/data-page="(error|login|not-found)"/.test(reply.text))
        throw new Error(reply.text.slice(0, 300));
    },
  });
  const paths = hostileText().map(
    (text): Sent => ({
      method: 'GET',
      path: `/interaction/${encodeURIComponent(text.toWellFormed())}`,
      headers: { accept: 'text/html', cookie: 'postern.interaction=x; postern.interaction.sig=y' },
    }),
  );
  await holds(t, paths, {
    tells: (reply) => {
      if (reply.status >= 400 && !/data-page="(error|not-found)"/.test(reply.text))
        throw new Error(reply.text.slice(0, 300));
    },
  });
});

test.serial('methods, paths and versions that are nobody’s: 4xx', async (t) => {
  const paths =
    '/ /token /authorize /userinfo /introspect /revoke /par /logout /register /admin /.well-known/jwks.json';
  const requests = fc
    .tuple(
      fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'HEAD', 'OPTIONS'),
      fc.oneof(
        fc.constantFrom(...paths.split(' ')),
        hostileText().map((x) => `/${encodeURIComponent(x.toWellFormed())}`),
      ),
      headers(),
    )
    .map(([method, path, more]): Sent => ({ method, path, headers: more }));
  let before = await kept(postern.store);
  await fc.assert(
    fc.asyncProperty(requests, async (one) => {
      const reply = await send(postern.url, one);
      sent++;
      if (reply.status >= 500 || INSIDE.test(reply.text))
        throw new Error(`${reply.status} ${reply.text.slice(0, 300)}`);
      const after = await kept(postern.store);
      // The sign-out page keeps for an hour what its form will need.
      if (changed(before, after).length > 0 && one.path !== '/logout') throw new Error('changed the store');
      before = after;
    }),
    { numRuns: RUNS, seed: SEED, endOnFailure: true, includeErrorInReport: true },
  );
  t.pass();
});

test.serial(
  'client assertions: every wrong one is invalid_client or invalid_request, and a right one still works',
  async (t) => {
    const now = Math.floor(Date.now() / 1000);
    const right = () => ({
      iss: keyed.id,
      sub: keyed.id,
      aud: postern.issuer,
      jti: crypto.randomUUID(),
      exp: now + 60,
    });
    const ask = async (assertion: string) => {
      const reply = await send(postern.url, {
        method: 'POST',
        path: '/token',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_assertion_type: ASSERTION,
          client_assertion: assertion,
        }).toString(),
      });
      harmless(reply);
      tellsProgram(reply);
      return reply.status;
    };
    const before = await kept(postern.store);
    const wrong: object[] = [
      { exp: now - 60 },
      { exp: 'soon' },
      { exp: 1e300 },
      { exp: Number.MAX_SAFE_INTEGER },
      { exp: -1 },
      { nbf: now + 3600 },
      { nbf: 'x' },
      { iat: 'x' },
      { jti: 5 },
      { jti: { a: 1 } },
      { jti: '' },
      { iss: 'cli_other' },
      { iss: ['x'] },
      { sub: 'cli_other' },
      { sub: { a: 1 } },
      { sub: 7 },
      { sub: '__proto__' },
      { aud: 'https://other.example' },
      { aud: ['https://other.example', 5, null] },
      { aud: { a: 1 } },
      { aud: '' },
      { exp: undefined },
      { jti: undefined },
      { aud: undefined },
    ];
    for (const change of wrong) {
      const status = await ask(await keyedSign({ ...right(), ...change }));
      t.true(status === 400 || status === 401, JSON.stringify(change));
    }
    const [header, body] = (await keyedSign(right())).split('.') as [string, string];
    const { privateKey: other } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const b64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const forged of [
      `${b64({ alg: 'none' })}.${body}.`,
      `${header}.${body}.${sign('sha256', Buffer.from(`${header}.${body}`), other).toString('base64url')}`,
      `${b64({ alg: 'HS256' })}.${body}.${createHmac('sha256', 'x').update('x').digest('base64url')}`,
      `${header}.${body}.`,
      await keyedSign(right(), { kid: 'unknown' }),
      ...BAD_JWTS,
    ])
      t.true([400, 401].includes(await ask(forged)), forged.slice(0, 80));
    t.is(await ask(await keyedSign(right())), 200);
    t.deepEqual(changed(before, await kept(postern.store)), []);
  },
);

test.serial('a code outlives every wrong attempt to redeem it, and is then redeemed by the right one', async (t) => {
  const { agent } = signedIn;
  const query = authorization();
  const { left } = await agent.get(`/authorize?${new URLSearchParams(query as [string, string][])}`);
  const right = {
    grant_type: 'authorization_code',
    code: left?.searchParams.get('code') ?? '',
    redirect_uri: CALLBACK,
    code_verifier: 'v'.repeat(43),
  };
  const ask = (body: Record<string, string>, auth: Record<string, string> = basic()) =>
    send(postern.url, {
      method: 'POST',
      path: '/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...auth },
      body: new URLSearchParams(body).toString(),
    });
  const before = await kept(postern.store);
  const other = await addClient(postern);
  const wrong: Record<string, string>[] = [
    { code_verifier: 'w'.repeat(43) },
    { code_verifier: 'v'.repeat(42) },
    { code_verifier: 'v'.repeat(200) },
    { code_verifier: challenge },
    { code_verifier: '' },
    { redirect_uri: `${CALLBACK}/` },
    { redirect_uri: '' },
    { code: `${right.code}x` },
    { code: right.code.toLowerCase() },
    { resource: 'https://nowhere.example.com' },
  ];
  for (const change of wrong) {
    const reply = await ask({ ...right, ...change });
    t.is(reply.status, 400, JSON.stringify(change));
    t.notThrows(() => tellsProgram(reply));
  }
  t.is((await ask(right, basic(other.id, other.secret))).status, 400);
  t.is((await ask(right, basic(web.id, 'wrong'))).status, 401);
  const changes = changed(before, await kept(postern.store));
  t.deepEqual(
    changes.filter((line) => !/^(clients|audit)/.test(line)),
    [],
  );
  t.is((await ask(right)).status, 200);
});

test.serial('a spelling of a refresh token that a lenient reader takes for it is no refresh token', async (t) => {
  const { tokens } = await authorize(postern, web);
  const refresh = (token: string) =>
    send(postern.url, {
      method: 'POST',
      path: '/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...basic() },
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }).toString(),
    });
  const token = tokens.refresh_token!;
  const last = token.at(-1)!;
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const twin = token.slice(0, -1) + alphabet[alphabet.indexOf(last) ^ 1];
  for (const round of ['before', 'after']) {
    for (const spelled of [`${token}=`, `${token}!`, twin, `${token} `, token.replace('.', '=.')])
      t.is((await refresh(spelled)).status, 400, `${round} its use: ${spelled.slice(-4)}`);
    if (round === 'before') t.is((await refresh(token)).status, 200);
  }
  t.is((await refresh(token)).status, 200);
});

test.serial(
  'a person’s password is never looked at where the form is broken, and works where it is whole',
  async (t) => {
    const agent = new UserAgent(postern.issuer);
    const page = await agent.get((await request(await discover(postern, web))).url);
    const action = new URL(/<form[^>]*action="([^"]*)"/.exec(page.html)?.[1] ?? '', page.url).pathname;
    const csrf = /name="csrf" value="([^"]*)"/.exec(page.html)?.[1] ?? '';
    const good = `csrf=${csrf}&email=ada%40example.com&password=${encodeURIComponent(PASSWORD)}`;
    const post = (body: string, more: Record<string, string> = {}) =>
      send(postern.url, {
        method: 'POST',
        path: action,
        body,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          accept: 'text/html',
          cookie: agent.cookieHeader(action),
          ...more,
        },
      });
    for (const [body, status] of [
      [`${good}&email=eve%40example.com`, 400],
      [`${good}&x=%00`, 400],
      [`${good}&x=%ZZ`, 400],
      [`${good}&x=%ED%A0%80`, 400],
      [`${good}&x=${'y'.repeat(5000)}`, 400],
      [`${good}&x=${'y'.repeat(20_000)}`, 413],
      [`${good}${'&a=b'.repeat(40)}`, 400],
    ] as const) {
      const reply = await post(body);
      t.is(reply.status, status, body.slice(-20));
      t.notThrows(() => tellsPerson(reply));
    }
    t.is((await post(good, { 'content-type': 'application/json' })).status, 415);
    t.is((await post(good)).status, 303);
  },
);

test.serial('all that were more than 1,500 requests', (t) => {
  t.log(`${sent} requests`);
  t.true(sent >= Math.min(1500, RUNS * 10), String(sent));
});
