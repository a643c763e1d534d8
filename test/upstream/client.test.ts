import { createHmac } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { minutes, newSecret } from '../../src/lib/index.ts';
import { createOutbound, type Outbound } from '../../src/outbound/index.ts';
import { createUpstreamClient, type Errand, type Provider, UpstreamFailure } from '../../src/upstream/index.ts';
import { CLIENT_ID, type OpenIdStub, SUBJECT, startOpenIdStub } from '../support/openid-stub.ts';

const ISSUER = 'https://id.example.com';
/** Patient: the machine may have much to do. */
const real = createOutbound({ allow: ['127.0.0.1'], timeout: minutes(2) });

/** A provider, someone's errand there, and the answer they come back with. */
async function arrange(
  stub: OpenIdStub,
  { more = {}, outbound = real }: { more?: Partial<Errand>; outbound?: Pick<Outbound, 'fetch'> } = {},
) {
  const time = { at: Date.now() };
  const client = createUpstreamClient({ outbound, now: () => time.at });
  const provider: Provider = {
    id: 'stub',
    kind: 'oidc',
    issuer: stub.issuer,
    clientId: CLIENT_ID,
    clientSecret: 'a secret',
    scopes: ['openid', 'email'],
    redirectUri: `${ISSUER}/upstream/stub/callback`,
  };
  const errand: Errand = {
    state: newSecret(),
    nonce: newSecret(),
    verifier: newSecret(),
    begunAt: Date.now(),
    ...more,
  };
  const back = (answer: Record<string, string> = {}) =>
    client.profile(provider, errand, new URLSearchParams({ code: 'c', state: errand.state, ...answer }));
  const fails = (answer: Record<string, string> = {}): Promise<UpstreamFailure> =>
    back(answer).then(
      (profile) => Promise.reject(new Error(`vouched for ${profile.subject}`)),
      (error: UpstreamFailure) => error,
    );
  return { client, provider, errand, back, fails, time };
}

test('a person is sent with state, nonce, PKCE S256, scopes, and what may be passed on of what was asked', async (t) => {
  await using stub = await startOpenIdStub();
  const { client, provider, errand } = await arrange(stub, { more: { maxAge: 0 } });
  const url = await client.authorizationUrl(provider, errand, { loginHint: 'ada@example.com', uiLocales: 'de en' });
  t.is(`${url.origin}${url.pathname}`, `${stub.issuer}/authorize`);
  t.like(Object.fromEntries(url.searchParams), {
    response_type: 'code',
    client_id: CLIENT_ID,
    redirect_uri: `${ISSUER}/upstream/stub/callback`,
    scope: 'openid email',
    state: errand.state,
    nonce: errand.nonce,
    code_challenge_method: 'S256',
    prompt: 'login',
    max_age: '0',
    login_hint: 'ada@example.com',
    ui_locales: 'de en',
  });
  t.false(url.href.includes(errand.verifier));
  const calm = await client.authorizationUrl(provider, { ...errand, maxAge: undefined }, { choose: true });
  t.is(calm.searchParams.get('prompt'), null, 'it does not say that it knows select_account');
  t.false(calm.searchParams.has('max_age'));
});

test('a provider that says it knows select_account lets people choose, and is asked to', async (t) => {
  await using stub = await startOpenIdStub();
  const document = stub.answers['/.well-known/openid-configuration'] as () => object;
  stub.answers['/.well-known/openid-configuration'] = () => ({
    ...document(),
    prompt_values_supported: ['login', 'select_account'],
  });
  const { client, provider, errand } = await arrange(stub);
  const url = await client.authorizationUrl(provider, errand, { choose: true });
  t.is(url.searchParams.get('prompt'), 'select_account');
});

test('whoever comes back is the subject of a valid ID token; the secret and the verifier go to the token endpoint', async (t) => {
  await using stub = await startOpenIdStub();
  const { errand, back } = await arrange(stub);
  const token = stub.idToken({ nonce: errand.nonce, name: 'Ada', email: 'ada@example.com', email_verified: true });
  const sent: Record<string, string> = {};
  stub.answers['/token'] = async (request, _response, body) => {
    Object.assign(sent, Object.fromEntries(body), { authorization: request.headers.authorization });
    return { access_token: 'x', token_type: 'Bearer', id_token: await token };
  };
  t.deepEqual(await back(), {
    subject: SUBJECT,
    label: 'ada@example.com',
    name: 'Ada',
    email: 'ada@example.com',
    emailVerified: true,
  });
  t.like(sent, {
    grant_type: 'authorization_code',
    code: 'c',
    code_verifier: errand.verifier,
    redirect_uri: `${ISSUER}/upstream/stub/callback`,
    authorization: `Basic ${btoa(`${CLIENT_ID.replaceAll('-', '%2D')}:a+secret`)}`,
  });
});

test('an ID token that is not for us, not now, not of this sign-in or not theirs vouches for nobody', async (t) => {
  await using stub = await startOpenIdStub();
  const { errand, fails } = await arrange(stub);
  const { nonce } = errand;
  const now = Math.floor(Date.now() / 1000);
  for (const [what, claims] of Object.entries({
    'another nonce': { nonce: newSecret() },
    'no nonce': {},
    'another audience': { nonce, aud: 'somebody-else' },
    'many audiences without azp': { nonce, aud: [CLIENT_ID, 'somebody-else'] },
    'another authorized party': { nonce, aud: [CLIENT_ID, 'somebody-else'], azp: 'somebody-else' },
    'another issuer': { nonce, iss: 'https://accounts.google.com' },
    expired: { nonce, exp: now - 31 },
    'not yet valid': { nonce, nbf: now + 3600 },
    'no expiry': { nonce, exp: undefined },
    'no subject': { nonce, sub: undefined },
    'an empty subject': { nonce, sub: '' },
    'a subject with a line break': { nonce, sub: 'a\nb' },
    'a subject in Unicode': { nonce, sub: 'ádа' },
    'an endless subject': { nonce, sub: 'x'.repeat(256) },
    'a number as subject': { nonce, sub: 1 },
    'an object as subject': { nonce, sub: { toString: 'x' } },
  })) {
    stub.says(claims);
    t.is((await fails()).reason, 'untrusted', what);
  }
});

test('an ID token that is unsigned, signed with our secret, by another key, or damaged vouches for nobody', async (t) => {
  await using stub = await startOpenIdStub();
  const { errand, fails } = await arrange(stub);
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: stub.issuer, aud: CLIENT_ID, sub: SUBJECT, nonce: errand.nonce, iat: now, exp: now + 60 };
  const other = await generateKeyPair('RS256');
  const good = await stub.idToken({ nonce: errand.nonce });
  const signed = (header: { alg: string; kid?: string }, key: Parameters<SignJWT['sign']>[0]) =>
    new SignJWT(claims).setProtectedHeader(header).sign(key);
  for (const [what, token] of Object.entries({
    'alg none': new UnsecuredJWT(claims).encode(),
    'our secret': await signed({ alg: 'HS256' }, new TextEncoder().encode('a secret'.padEnd(32))),
    'another key of the same name': await signed({ alg: 'RS256', kid: 'stub' }, other.privateKey),
    'a key nobody published': await signed({ alg: 'RS256', kid: 'other' }, other.privateKey),
    'a changed payload': good.replace(
      /\.[^.]+\./,
      `.${btoa(JSON.stringify({ ...claims, sub: 'root' })).replace(/=+$/, '')}.`,
    ),
    'no signature': good.replace(/\.[^.]+$/, '.'),
    'no token': 'x',
    'five parts': 'a.b.c.d.e',
    'a critical extension': await stub.idToken({ nonce: errand.nonce }, { crit: ['b64'], b64: true }),
  })) {
    stub.answers['/token'] = () => ({ access_token: 'x', token_type: 'Bearer', id_token: token });
    t.is((await fails()).reason, 'untrusted', what);
  }
  stub.answers['/token'] = () => ({ access_token: 'x', token_type: 'Bearer' });
  t.is((await fails()).reason, 'untrusted', 'no ID token at all');
});

test('a provider that publishes "none" and HS256 as its algorithms changes nothing', async (t) => {
  await using stub = await startOpenIdStub();
  const discovery = stub.answers['/.well-known/openid-configuration']!;
  stub.answers['/.well-known/openid-configuration'] = (...args) => ({
    ...(discovery(...args) as object),
    id_token_signing_alg_values_supported: ['none', 'HS256', 'RS256'],
  });
  const { errand, fails } = await arrange(stub);
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: stub.issuer, aud: CLIENT_ID, sub: SUBJECT, nonce: errand.nonce, iat: now, exp: now + 60 };
  for (const token of [
    new UnsecuredJWT(claims).encode(),
    await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode('a secret'.padEnd(32))),
  ]) {
    stub.answers['/token'] = () => ({ access_token: 'x', token_type: 'Bearer', id_token: token });
    t.is((await fails()).reason, 'untrusted');
  }
});

test('an answer with another state, another issuer, two codes or an ID token in the URL is refused before anybody is asked', async (t) => {
  await using stub = await startOpenIdStub();
  const { client, provider, errand, fails } = await arrange(stub);
  for (const answer of [
    { state: newSecret() },
    { state: '' },
    { iss: 'https://honest.example' },
    { id_token: 'x' },
    { response: 'x' },
  ])
    t.is((await fails(answer)).reason, 'untrusted', JSON.stringify(answer));
  const twice = new URLSearchParams([
    ['code', 'a'],
    ['code', 'b'],
    ['state', errand.state],
  ]);
  t.is(
    (await t.throwsAsync(client.profile(provider, errand, twice), { instanceOf: UpstreamFailure }))?.reason,
    'untrusted',
  );
  t.is(stub.asked['/token'], undefined);
});

test('a provider that promises its name in each answer (RFC 9207) has to give it', async (t) => {
  await using stub = await startOpenIdStub();
  const discovery = stub.answers['/.well-known/openid-configuration']!;
  stub.answers['/.well-known/openid-configuration'] = (...args) => ({
    ...(discovery(...args) as object),
    authorization_response_iss_parameter_supported: true,
  });
  const { errand, fails, back } = await arrange(stub);
  stub.says({ nonce: errand.nonce });
  t.is((await fails()).reason, 'untrusted');
  t.is((await back({ iss: stub.issuer })).subject, SUBJECT);
});

test('a discovery document of another issuer is refused', async (t) => {
  await using stub = await startOpenIdStub();
  const discovery = stub.answers['/.well-known/openid-configuration']!;
  stub.answers['/.well-known/openid-configuration'] = (...args) => ({
    ...(discovery(...args) as object),
    issuer: 'https://accounts.google.com',
  });
  const { fails } = await arrange(stub);
  t.is((await fails()).reason, 'untrusted');
});

test('the answers a provider gives for a person are told apart: refused there, not there now, not to be trusted', async (t) => {
  await using stub = await startOpenIdStub();
  const { fails } = await arrange(stub);
  const denied = await fails({ error: 'access_denied', error_description: 'no\nthanks', code: '' });
  t.is(denied.reason, 'denied');
  t.regex(denied.message, /"access_denied": "no\\nthanks"/);
  t.is((await fails({ error: 'temporarily_unavailable' })).reason, 'unavailable');
  const refuse = (status: number, body: unknown) => {
    stub.answers['/token'] = (_request, response) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  refuse(400, { error: 'invalid_grant' });
  t.is((await fails()).reason, 'untrusted');
  refuse(401, { error: 'invalid_client', error_description: 'wrong secret' });
  const misconfigured = await fails();
  t.is(misconfigured.reason, 'unavailable');
  t.regex(misconfigured.message, /401 "invalid_client": "wrong secret"/);
  refuse(500, { oops: true });
  t.is((await fails()).reason, 'unavailable');
  stub.answers['/token'] = (_request, response) =>
    void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Hello</h1>');
  t.is((await fails()).reason, 'unavailable');
});

test('nothing of a failure holds the secret, the code or the verifier', async (t) => {
  await using stub = await startOpenIdStub();
  const { errand, fails } = await arrange(stub);
  stub.answers['/token'] = (_request, response, body) =>
    void response
      .writeHead(400, { 'content-type': 'application/json' })
      .end(JSON.stringify({ error: 'invalid_request', error_description: `bad ${body}`.slice(0, 20) }));
  const { message } = await fails({ code: 'the-code-itself' });
  for (const secret of [errand.verifier, 'a secret']) t.false(message.includes(secret));
});

test('a redirect, a huge body, and an endless one at any of its addresses are that provider’s failure alone', async (t) => {
  await using stub = await startOpenIdStub();
  await using other = await startOpenIdStub();
  const impatient = createOutbound({ allow: ['127.0.0.1'], timeout: 300 });
  const attacks = {
    redirect: (_: unknown, response: import('node:http').ServerResponse) =>
      void response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end(),
    huge: (_: unknown, response: import('node:http').ServerResponse) =>
      void response.writeHead(200, { 'content-type': 'application/json' }).end(`{"a":"${'x'.repeat(1 << 20)}"}`),
    endless: (_: unknown, response: import('node:http').ServerResponse) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    },
    silent: () => undefined,
  };
  for (const path of ['/.well-known/openid-configuration', '/token', '/jwks']) {
    for (const [name, attack] of Object.entries(attacks)) {
      const honest = stub.answers[path]!;
      const { errand, fails } = await arrange(stub, { outbound: impatient });
      if (path !== '/token') stub.says({ nonce: errand.nonce });
      stub.answers[path] = attack;
      const elsewhere = await arrange(other);
      other.says({ nonce: elsewhere.errand.nonce });
      const [failure, profile] = await Promise.all([fails(), elsewhere.back()]);
      t.is(failure.reason, 'unavailable', `${name} at ${path}: ${failure.message}`);
      t.is(profile.subject, SUBJECT);
      stub.answers[path] = honest;
    }
  }
});

test('what a provider publishes is read once for all that come at once, again after ten minutes, and a failure is not kept', async (t) => {
  await using stub = await startOpenIdStub();
  const path = '/.well-known/openid-configuration';
  const discovery = stub.answers[path]!;
  stub.answers[path] = (_request, response) => void response.writeHead(503).end();
  const { client, provider, errand, time } = await arrange(stub);
  await t.throwsAsync(client.authorizationUrl(provider, errand, {}), { instanceOf: UpstreamFailure });
  stub.answers[path] = discovery;
  await Promise.all(Array.from({ length: 20 }, () => client.authorizationUrl(provider, errand, {})));
  t.is(stub.asked[path], 2);
  time.at += minutes(10);
  await client.authorizationUrl(provider, errand, {});
  t.is(stub.asked[path], 3);
  await client.authorizationUrl({ ...provider, clientSecret: 'another' }, errand, {});
  t.is(stub.asked[path], 4, 'a changed registration is another one');
});

test('who was to prove themselves anew did so only if the provider says when, and that was since', async (t) => {
  await using stub = await startOpenIdStub();
  const { errand, fails, back } = await arrange(stub, { more: { maxAge: 0 } });
  const now = Math.floor(Date.now() / 1000);
  for (const auth_time of [undefined, now - 3600, 'now', -1]) {
    stub.says({ nonce: errand.nonce, auth_time });
    t.is((await fails()).reason, 'stale', String(auth_time));
  }
  stub.says({ nonce: errand.nonce, auth_time: now });
  t.is((await back()).provedAt, now * 1000);
  const hour = await arrange(stub, { more: { maxAge: 3600 } });
  stub.says({ nonce: hour.errand.nonce, auth_time: now - 1800 });
  t.is((await hour.back()).provedAt, (now - 1800) * 1000);
});

test('an address that the ID token does not tell is asked for, and belongs to the same subject', async (t) => {
  await using stub = await startOpenIdStub();
  const discovery = stub.answers['/.well-known/openid-configuration']!;
  stub.answers['/.well-known/openid-configuration'] = (...args) => ({
    ...(discovery(...args) as object),
    userinfo_endpoint: `${stub.issuer}/userinfo`,
  });
  const { errand, back, fails } = await arrange(stub);
  stub.says({ nonce: errand.nonce });
  stub.answers['/userinfo'] = () => ({ sub: SUBJECT, email: 'ada@example.com', email_verified: true });
  t.like(await back(), { email: 'ada@example.com', emailVerified: true });
  stub.answers['/userinfo'] = () => ({ sub: 'mallory', email: 'ada@example.com', email_verified: true });
  t.is((await fails()).reason, 'untrusted');
});

test('whatever a provider claims, it vouches for a clean profile or for nobody', async (t) => {
  await using stub = await startOpenIdStub();
  const { errand, client, provider } = await arrange(stub);
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc.constantFrom('\u202Emoc', 'a\0b', '<script>', 'x'.repeat(5000), 'ada@example.com\r\nBcc: x', '\uD800', ' '),
    fc.jsonValue(),
  );
  const names = [
    'sub',
    'name',
    'email',
    'email_verified',
    'preferred_username',
    'auth_time',
    'azp',
    '__proto__',
    'constructor',
  ];
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.constantFrom(...names), hostile, { maxKeys: 9 }), async (claims) => {
      stub.says({ ...JSON.parse(JSON.stringify(claims).toWellFormed()), nonce: errand.nonce });
      const answer = new URLSearchParams({ code: 'c', state: errand.state });
      const profile = await client.profile(provider, errand, answer).catch((error) => {
        if (!(error instanceof UpstreamFailure)) throw error;
        return undefined;
      });
      if (!profile) return;
      t.regex(profile.subject, /^[\x20-\x7E]{1,255}$/);
      for (const text of [profile.name, profile.label])
        t.true(text === undefined || /^[^\p{C}\p{Zl}\p{Zp}]{1,254}$/u.test(text));
      t.true(profile.email === undefined || /^[^\s\p{C}]{3,254}$/u.test(profile.email));
      t.is(typeof profile.emailVerified, 'boolean');
      if (profile.emailVerified) t.true(claims['email_verified'] === true || claims['email_verified'] === 'true');
    }),
    { numRuns: 150 },
  );
});

/** The internet as a few addresses, for providers that are in one place only. */
const internet = (
  answers: Record<string, (body: string, headers: Record<string, string>) => unknown>,
): Pick<Outbound, 'fetch'> => ({
  async fetch(url, { body, headers = {} } = {}) {
    const { origin, pathname } = new URL(url);
    const answer = answers[`${origin}${pathname}`];
    return answer
      ? Response.json(await answer(String(body ?? ''), { ...headers, url: String(url) }))
      : new Response('', { status: 404 });
  },
});

const TENANT = '11111111-2222-3333-4444-555555555555';
const CONSUMERS = '9188040d-6c67-4b5b-b112-36a304b66dad';

test('Microsoft: one registration for all tenants takes each tenant’s issuer for that tenant alone', async (t) => {
  await using stub = await startOpenIdStub();
  const base = 'https://login.microsoftonline.com';
  const say = { claims: {} as Record<string, unknown> };
  const outbound = internet({
    [`${base}/common/v2.0/.well-known/openid-configuration`]: () => ({
      issuer: `${base}/{tenantid}/v2.0`,
      authorization_endpoint: `${base}/common/oauth2/v2.0/authorize`,
      token_endpoint: `${base}/common/oauth2/v2.0/token`,
      jwks_uri: `${base}/common/discovery/v2.0/keys`,
      id_token_signing_alg_values_supported: ['RS256'],
      response_types_supported: ['code'],
      subject_types_supported: ['pairwise'],
    }),
    [`${base}/common/discovery/v2.0/keys`]: () => (stub.answers['/jwks'] as () => unknown)(),
    [`${base}/common/oauth2/v2.0/token`]: async () => ({
      access_token: 'x',
      token_type: 'Bearer',
      id_token: await stub.idToken(say.claims),
    }),
  });
  const client = createUpstreamClient({ outbound, now: Date.now });
  const provider: Provider = {
    id: 'ms',
    kind: 'microsoft',
    issuer: `${base}/common/v2.0`,
    clientId: CLIENT_ID,
    scopes: ['openid'],
    redirectUri: `${ISSUER}/upstream/stub/callback`,
  };
  const errand: Errand = { state: newSecret(), nonce: newSecret(), verifier: newSecret(), begunAt: Date.now() };
  const come = (claims: Record<string, unknown>) => {
    say.claims = { nonce: errand.nonce, ...claims };
    return client.profile(provider, errand, new URLSearchParams({ code: 'c', state: errand.state }));
  };
  for (const tid of [TENANT, CONSUMERS]) {
    const profile = await come({
      tid,
      iss: `${base}/${tid}/v2.0`,
      sub: 'same',
      email: 'boss@victim.example',
      email_verified: true,
    });
    t.is(profile.subject, `${tid}/same`);
    t.false(profile.emailVerified, 'an administrator there writes what they like');
  }
  t.true(
    (await come({ tid: TENANT, iss: `${base}/${TENANT}/v2.0`, email: 'a@b.example', xms_edov: true })).emailVerified,
  );
  for (const claims of [
    { tid: TENANT, iss: `${base}/${CONSUMERS}/v2.0` },
    { iss: `${base}/${TENANT}/v2.0` },
    { tid: TENANT, iss: `${base}/{tenantid}/v2.0` },
    { tid: '{tenantid}', iss: `${base}/{tenantid}/v2.0` },
    { tid: TENANT, iss: stub.issuer },
  ])
    t.is(
      (await t.throwsAsync(come(claims), { instanceOf: UpstreamFailure }))?.reason,
      'untrusted',
      JSON.stringify(claims),
    );
});

test('Google answers for Gmail and Workspace addresses, not for others', async (t) => {
  await using stub = await startOpenIdStub();
  const issuer = 'https://accounts.google.com';
  const say = { claims: {} as Record<string, unknown> };
  const outbound = internet({
    [`${issuer}/.well-known/openid-configuration`]: () => ({
      ...(stub.answers['/.well-known/openid-configuration'] as () => object)(),
      issuer,
      authorization_endpoint: `${issuer}/o/oauth2/v2/auth`,
      token_endpoint: 'https://oauth2.googleapis.com/token',
      jwks_uri: 'https://www.googleapis.com/oauth2/v3/certs',
    }),
    'https://www.googleapis.com/oauth2/v3/certs': () => (stub.answers['/jwks'] as () => unknown)(),
    'https://oauth2.googleapis.com/token': async () => ({
      access_token: 'x',
      token_type: 'Bearer',
      id_token: await stub.idToken({ iss: issuer, ...say.claims }),
    }),
  });
  const client = createUpstreamClient({ outbound, now: Date.now });
  const provider: Provider = {
    id: 'google',
    kind: 'google',
    issuer,
    clientId: CLIENT_ID,
    scopes: ['openid', 'email'],
    redirectUri: `${ISSUER}/upstream/stub/callback`,
  };
  const errand: Errand = { state: newSecret(), nonce: newSecret(), verifier: newSecret(), begunAt: Date.now() };
  for (const [claims, verified] of [
    [{ email: 'ada@gmail.com', email_verified: true }, true],
    [{ email: 'ada@gmail.com', email_verified: false }, false],
    [{ email: 'ada@firm.example', email_verified: true, hd: 'firm.example' }, true],
    [{ email: 'ada@firm.example', email_verified: true }, false],
    [{ email: 'ada@notgmail.com', email_verified: true }, false],
  ] as const) {
    say.claims = { nonce: errand.nonce, ...claims };
    const profile = await client.profile(provider, errand, new URLSearchParams({ code: 'c', state: errand.state }));
    t.is(profile.emailVerified, verified, JSON.stringify(claims));
  }
});

test('Facebook: the person of an access token is asked for with a proof of the secret, and the address is not believed', async (t) => {
  const graph = 'https://graph.facebook.com/v23.0';
  const proofs: (string | null)[] = [];
  const outbound = internet({
    [`${graph}/oauth/access_token`]: () => ({ access_token: 'fb-token', token_type: 'bearer', expires_in: 5_000_000 }),
    [`${graph}/me`]: (_body, { url = '' }) => {
      proofs.push(new URL(url).searchParams.get('appsecret_proof'));
      return { id: '10158', name: 'Ada', email: 'ada@example.com' };
    },
  });
  const client = createUpstreamClient({ outbound, now: Date.now });
  const provider: Provider = {
    id: 'facebook',
    kind: 'facebook',
    issuer: 'https://www.facebook.com',
    clientId: '1',
    clientSecret: 'app secret',
    scopes: ['email'],
    redirectUri: `${ISSUER}/upstream/stub/callback`,
  };
  const errand: Errand = { state: newSecret(), nonce: newSecret(), verifier: newSecret(), begunAt: Date.now() };
  t.deepEqual(await client.profile(provider, errand, new URLSearchParams({ code: 'c', state: errand.state })), {
    subject: '10158',
    label: 'ada@example.com',
    name: 'Ada',
    email: 'ada@example.com',
    emailVerified: false,
  });
  t.deepEqual(proofs, [createHmac('sha256', 'app secret').update('fb-token').digest('hex')]);
});
