import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import { createLogger } from '../../src/http/index.ts';
import { authorize, discover, redeem, request, signIn } from '../support/client.ts';
import { pass } from '../support/clock.ts';
import { send } from '../support/hostile.ts';
import { addClient, addPerson, CALLBACK, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { connectDevice } from '../support/television.ts';
import { type Answer, UserAgent } from '../support/user-agent.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const ADA = { email: 'ada@example.com', password: PASSWORD };

let postern: Postern;
let log = '';
test.before(async () => {
  const destination = {
    write(line: string) {
      log += line;
    },
  };
  postern = await startPostern({ log: createLogger({ level: 'debug', destination }) });
  await addPerson(postern);
});
test.after.always(() => postern.close());

const refusedWith = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'not refused';
  } catch (error) {
    return (error as { error?: string }).error ?? (error as Error).message;
  }
};

const tokenRequest = (server: Postern, body: Record<string, string>, headers: Record<string, string> = {}) =>
  send(server.url, {
    method: 'POST',
    path: '/token',
    headers: { ...FORM, ...headers },
    body: new URLSearchParams(body).toString(),
  });

const userinfo = (token: string, scheme = 'Bearer') =>
  send(postern.url, { method: 'GET', path: '/userinfo', headers: { authorization: `${scheme} ${token}` } });

test.serial('PKCE with S256 is required of every client, confidential ones too', async (t) => {
  for (const type of ['web', 'spa'] as const) {
    const config = await discover(postern, await addClient(postern, { type }));
    const { url } = await request(config);
    for (const name of ['code_challenge', 'code_challenge_method']) url.searchParams.delete(name);
    const { left } = await new UserAgent(postern.issuer).get(url);
    t.is(left?.searchParams.get('error'), 'invalid_request', type);
    t.is(left?.searchParams.get('iss'), postern.issuer);
  }
});

test.serial('every authorization response says which issuer it is from, in every response mode', async (t) => {
  const client = await addClient(postern);
  const { agent, left, config } = await authorize(postern, client);
  t.is(left.searchParams.get('iss'), postern.issuer);
  t.is((await config.serverMetadata())['authorization_response_iss_parameter_supported'], true);
  const none = await request(config, { prompt: 'none', response_mode: 'fragment' });
  const fragment = new URLSearchParams((await agent.get(none.url)).left?.hash.slice(1));
  t.truthy(fragment.get('code'));
  t.is(fragment.get('iss'), postern.issuer);
  const posted = await agent.get((await request(config, { response_mode: 'form_post' })).url);
  t.regex(posted.html, new RegExp(`action="${CALLBACK}"`));
  t.regex(posted.html, /name="code"/);
  t.regex(posted.html, new RegExp(`name="iss" value="${postern.issuer}"`));
  t.regex(posted.headers.get('content-security-policy') ?? '', /script-src 'sha256-/);
  t.notRegex(posted.headers.get('content-security-policy') ?? '', /form-action/);
  t.is(posted.headers.get('cache-control'), 'no-store');
});

test.serial(
  'no Host and no X-Forwarded header of a stranger shows in discovery, redirects, cookies or pages',
  async (t) => {
    const config = await discover(postern, await addClient(postern));
    const evil = {
      host: 'evil.example',
      forwarded: 'host=evil.example;proto=https',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '444',
      'x-original-url': '/evil.example',
    };
    const ask = (path: string, more: Record<string, string> = {}) =>
      send(postern.url, { method: 'GET', path, headers: { ...evil, accept: 'text/html', ...more } });
    const { url } = await request(config);
    const begun = await ask(url.pathname + url.search);
    const at = String(begun.headers.location);
    const cookie = [begun.headers['set-cookie'] ?? []].flat().map((line) => line.split(';')[0]);
    const page = await ask(new URL(at, postern.issuer).pathname, { cookie: cookie.join('; ') });
    t.regex(page.text, /data-page="login"/);
    const replies = [
      begun,
      page,
      await ask('/.well-known/openid-configuration'),
      await ask('/.well-known/oauth-authorization-server'),
      await ask('/logout'),
      await ask('/authorize?client_id=x'),
      await ask('/nothing'),
      await ask('/userinfo'),
    ];
    for (const { text, headers } of replies) t.notRegex(text + JSON.stringify(headers), /evil\.example|:444\b/);
  },
);

/** The names, and what is said of each, of the cookies an answer sets. */
const cookiesOf = (lines: readonly string[]): Record<string, string[]> =>
  Object.fromEntries(
    lines.map((line) => {
      const [pair = '', ...attributes] = line.split('; ');
      return [pair.split('=')[0], attributes.map((text) => text.toLowerCase())];
    }),
  );

test.serial(
  'cookies: HttpOnly and Lax everywhere; on https Secure and __Host- too, behind a proxy that ends TLS',
  async (t) => {
    const https = await startPostern({ env: { POSTERN_ISSUER: 'https://id.example.test' } });
    try {
      await addPerson(https);
      const client = await addClient(https, { firstParty: true });
      const agent = new UserAgent(https.url, { host: 'id.example.test' });
      const set: string[] = [];
      const follow = async (answer: Answer): Promise<Answer> => {
        set.push(...answer.headers.getSetCookie());
        return answer.left?.host === 'id.example.test' ? follow(await agent.get(answer.left.pathname)) : answer;
      };
      const query = new URLSearchParams({
        client_id: client.id,
        redirect_uri: CALLBACK,
        response_type: 'code',
        scope: 'openid',
        code_challenge: 'x'.repeat(43),
        code_challenge_method: 'S256',
      });
      const begun = await send(https.url, { method: 'GET', path: `/authorize?${query}` });
      set.push(...[begun.headers['set-cookie'] ?? []].flat());
      const login = await agent.get(`/authorize?${query}`);
      t.is(login.page, 'login');
      t.is(login.headers.get('strict-transport-security'), 'max-age=31536000');
      set.push(...login.headers.getSetCookie());
      const done = await follow(await agent.submit(login, ADA));
      t.truthy(done.left?.searchParams.get('code'));
      t.is(done.left?.searchParams.get('iss'), 'https://id.example.test');
      const cookies = cookiesOf(set);
      const names = Object.keys(cookies);
      for (const noun of ['session', 'device'])
        t.true(names.includes(`__Host-postern.${noun}`), `${noun} among ${names.join(' ')}`);
      for (const [name, attributes] of Object.entries(cookies)) {
        t.true(
          ['httponly', 'samesite=lax', 'secure'].every((word) => attributes.includes(word)),
          `${name} ${attributes}`,
        );
        t.false(
          attributes.some((word) => word.startsWith('domain=')),
          name,
        );
        if (name.startsWith('__Host-')) t.true(attributes.includes('path=/'), name);
        else
          t.true(
            attributes.some((word) => /^path=\/(interaction|authorize)\//.test(word)),
            `${name} ${attributes}`,
          );
      }
    } finally {
      await https.close();
    }
    const { url } = await request(await discover(postern, await addClient(postern)));
    const plain = await send(postern.url, { method: 'GET', path: url.pathname + url.search });
    const lines = [plain.headers['set-cookie'] ?? []].flat();
    t.true(lines.length >= 2);
    for (const [name, attributes] of Object.entries(cookiesOf(lines)))
      t.true(
        attributes.includes('httponly') && attributes.includes('samesite=lax') && !attributes.includes('secure'),
        name,
      );
  },
);

test.serial('a form without its token, with another browser’s, or from another site is refused with 403', async (t) => {
  const config = await discover(postern, await addClient(postern));
  const begin = async () => {
    const agent = new UserAgent(postern.issuer);
    return { agent, page: await agent.get((await request(config)).url) };
  };
  const tokenOf = (page: Answer) => /name="csrf" value="([^"]*)"/.exec(page.html)?.[1] ?? '';
  const other = await begin();
  for (const [fields, headers] of [
    [{ csrf: '' }, {}],
    [{ csrf: 'x'.repeat(65) }, {}],
    [{ csrf: tokenOf(other.page) }, {}],
    [{}, { 'sec-fetch-site': 'cross-site' }],
    [{}, { 'sec-fetch-site': 'same-site' }],
    [{}, { origin: 'https://evil.example' }],
  ] as [Record<string, string>, Record<string, string>][]) {
    const { agent, page } = await begin();
    Object.assign(agent.headers, headers);
    const answer = await agent.submit(page, { ...ADA, ...fields });
    t.is(answer.status, 403, JSON.stringify([fields, headers]));
    t.is(answer.page, 'error');
    for (const name of Object.keys(headers)) delete agent.headers[name];
    t.is((await agent.submit(page, ADA)).page, 'consent');
  }
  const { agent, page } = await begin();
  const consent = await agent.submit(page, ADA);
  // The token of the sign-in form is not one for the consent form.
  const answer = await agent.submit(consent, { csrf: tokenOf(page) }, { name: 'decision', value: 'allow' });
  t.is(answer.status, 403);
  t.truthy((await signIn(agent, consent)).left);
  const out = await agent.submit(await agent.get('/logout'), { xsrf: 'x' }, { name: 'logout', value: 'yes' });
  t.is(out.status, 400);
});

const OWN_SCRIPTS = ['password', 'simplewebauthn', 'passkeys'].map((name) => `<script src="/assets/${name}.js" defer>`);

test.serial(
  'every page forbids frames, caches, and scripts but our own where a password or a passkey is asked for; every token answer forbids caches',
  async (t) => {
    const { agent, config, asked, tokens } = await authorize(postern, await addClient(postern));
    const stranger = new UserAgent(postern.issuer);
    const pages: Answer[] = [
      await stranger.get(asked.url),
      await agent.get((await request(config, { prompt: 'consent' })).url),
      await stranger.get('/authorize?client_id=nobody'),
      await stranger.get('/nothing/here'),
      await stranger.get('/'),
      await agent.get('/logout'),
      await stranger.get('/logout/success'),
      await stranger.get('/interaction/none'),
    ];
    const names = ['login', 'consent', 'error', 'not-found', 'home', 'logout', 'signed-out', 'error'];
    t.deepEqual(
      pages.map(({ page }) => page),
      names,
    );
    for (const { headers, html, page } of pages) {
      const policy = headers.get('content-security-policy') ?? '';
      for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "style-src 'self'"])
        t.true(policy.includes(rule), `${page}: ${rule}`);
      t.notRegex(policy, /unsafe|\*/);
      t.is(headers.get('x-frame-options'), 'DENY');
      t.is(headers.get('x-content-type-options'), 'nosniff');
      t.is(headers.get('referrer-policy'), 'no-referrer');
      t.is(headers.get('cache-control'), 'no-store');
      const scripts = [...html.matchAll(/<script[^>]*>[^<]*/g)].map(([tag]) => tag.replace(/-[\w-]{12}\.js/, '.js'));
      t.deepEqual(scripts, page === 'login' ? OWN_SCRIPTS : [], page);
      t.true(policy.includes(page === 'login' ? "script-src 'self'" : 'script-src;'), policy);
      t.notRegex(html, /<style|\son\w+=|\sstyle=|(src|href)="https?:/);
    }
    const secret = { authorization: 'Basic x' };
    for (const reply of [
      await tokenRequest(postern, { grant_type: 'x' }, secret),
      await userinfo(tokens.access_token),
      await userinfo('x'),
      await send(postern.url, { method: 'POST', path: '/introspect', headers: FORM, body: '' }),
      await send(postern.url, { method: 'POST', path: '/par', headers: FORM, body: '' }),
    ])
      t.is(reply.headers['cache-control'], 'no-store');
    let cache: string | null = '';
    config[oidc.customFetch] = async (url, options) => {
      const response = await fetch(url, options as RequestInit);
      cache = response.headers.get('cache-control');
      return response;
    };
    await oidc.refreshTokenGrant(config, tokens.refresh_token!);
    t.is(cache, 'no-store');
  },
);

/** The bytes of every file under a folder, as text. */
const bytesIn = (folder: string): string =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n');

test.serial(
  'nothing that was issued or typed stands in any file of the data folder, or in the log at debug',
  async (t) => {
    const client = await addClient(postern, { passwordGrant: true });
    const agent = new UserAgent(postern.issuer);
    const config = await discover(postern, client);
    const asked = await request(config);
    const interaction = agent.get(asked.url);
    const login = await interaction;
    const wrong = await agent.submit(login, { ...ADA, password: 'a wrong Password 4711' });
    const cookies = new Map([...agent.cookies].map(([key, { value }]) => [key, value]));
    const csrf = /name="csrf" value="([^"]*)"/.exec(login.html)?.[1] ?? '';
    const { left } = await signIn(agent, wrong);
    for (const [key, { value }] of agent.cookies) cookies.set(`later ${key}`, value);
    const tokens = await redeem(asked, left!);
    const next = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
    const typed = await oidc.genericGrantRequest(config, 'password', {
      username: ADA.email,
      password: PASSWORD,
      scope: 'openid',
    });
    await refusedWith(redeem(asked, left!));
    await refusedWith(oidc.refreshTokenGrant(config, `${next.refresh_token}x`));
    await oidc.tokenIntrospection(config, next.access_token);
    await oidc.fetchUserInfo(config, typed.access_token, oidc.skipSubjectCheck);
    const television = await addClient(postern, { type: 'native', redirectUris: [], deviceGrant: true });
    const device = await connectDevice(postern, television);
    const onDevice = device.agent.visited.map((url) => new URL(url).searchParams);
    const par = await oidc.buildAuthorizationUrlWithPAR(config, Object.fromEntries(asked.url.searchParams));
    const jwts = [tokens, next, typed, device.tokens].flatMap((each) => [
      each.access_token,
      each.refresh_token!,
      each.id_token!,
    ]);
    const secrets: Record<string, string | undefined> = {
      password: PASSWORD,
      'wrong password': 'a wrong Password 4711',
      'client secret': client.secret,
      code: left?.searchParams.get('code') ?? undefined,
      verifier: asked.verifier,
      csrf,
      'device code': device.shown.device_code,
      'user code': device.shown.user_code,
      'letters of it': device.shown.user_code.replace('-', ''),
      'code for a device': onDevice.find((query) => query.has('code'))?.get('code') ?? undefined,
      'state for a device': onDevice
        .find((query) => query.has('state'))
        ?.get('state')
        ?.split('.')[1],
      request_uri: par.searchParams.get('request_uri')?.split(':').at(-1),
      ...Object.fromEntries(cookies),
      ...Object.fromEntries(jwts.map((jwt, i) => [`token ${i}`, jwt])),
      ...Object.fromEntries(jwts.map((jwt, i) => [`signature ${i}`, jwt.split('.')[2]])),
      ...Object.fromEntries(
        [tokens, next, typed].map(({ refresh_token }, i) => [`jti ${i}`, decodeJwt(refresh_token!).jti]),
      ),
    };
    const stored = bytesIn(join(postern.folder, 'data'));
    t.true(stored.length > 10_000);
    t.true(log.includes('"msg":"request"'));
    for (const [name, secret] of Object.entries(secrets)) {
      t.true((secret?.length ?? 0) >= 8, `${name} is ${secret}`);
      t.false(stored.includes(secret!), `${name} in the store`);
      t.false(log.includes(secret!), `${name} in the log`);
    }
  },
);

/** A JWT of our own making; `with_` signs it. */
async function forge(
  header: object,
  claims: object,
  with_: (data: Buffer) => Promise<Buffer> | Buffer,
): Promise<string> {
  const b64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const data = `${b64(header)}.${b64(claims)}`;
  return `${data}.${(await with_(Buffer.from(data))).toString('base64url')}`;
}

test.serial(
  'no kind of token passes for another, and none that was changed or signed by others passes at all',
  async (t) => {
    const client = await addClient(postern);
    const { config, tokens } = await authorize(postern, client);
    const access = tokens.access_token;
    const [refresh, id] = [tokens.refresh_token!, tokens.id_token!];
    const [header, claims] = [decodeProtectedHeader(access), decodeJwt(access)];
    const rt = decodeJwt(refresh);
    const ours = postern.domain.keys.signer();
    const mine = async (data: Buffer) => Buffer.from(await ours.sign(data));
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const theirs = (data: Buffer) => sign('sha256', data, privateKey);
    const pem = (key: KeyObject) => createPublicKey(key.export({ type: 'spki', format: 'pem' }) as string);
    const publicPem = pem(ours.publicKey).export({ type: 'spki', format: 'pem' });
    const [h = '', , s = ''] = access.split('.');
    const wider = Buffer.from(JSON.stringify({ ...claims, scope: 'openid admin' })).toString('base64url');

    t.is((await userinfo(access)).status, 200);
    for (const [name, bad] of Object.entries({
      'a refresh token': refresh,
      'an ID token': id,
      'a raw jti': String(claims.jti),
      'the jti of a refresh token': String(rt.jti),
      'alg none': await forge({ ...header, alg: 'none' }, claims, () => Buffer.alloc(0)),
      'HS256 with the public key': await forge({ ...header, alg: 'HS256' }, claims, (data) =>
        createHmac('sha256', publicPem).update(data).digest(),
      ),
      'another key of the same kid': await forge(header, claims, theirs),
      'no typ': await forge({ ...header, typ: undefined }, claims, mine),
      'typ of a refresh token': await forge({ ...header, typ: 'rt+jwt' }, claims, mine),
      'another issuer': await forge(header, { ...claims, iss: 'https://other.example' }, mine),
      'a jti never issued': await forge(header, { ...claims, jti: 'x'.repeat(43) }, mine),
      'the jti of a refresh token, signed as an access token': await forge(header, { ...claims, jti: rt.jti }, mine),
      crit: await forge({ ...header, crit: ['b64'], b64: true }, claims, mine),
      'PS256 said, RS256 done': await forge({ ...header, alg: 'PS256' }, claims, mine),
      'a changed payload': `${h}.${wider}.${s}`,
      'two signatures': `${access}.${s}`,
    })) {
      const told = await userinfo(bad);
      t.is(told.status, 401, name);
      t.regex(String(told.headers['www-authenticate']), /^Bearer .*error="invalid_token"/);
      t.is(await refusedWith(oidc.refreshTokenGrant(config, bad === refresh ? access : bad)), 'invalid_grant', name);
      if (bad !== refresh) t.false((await oidc.tokenIntrospection(config, bad)).active, name);
    }
    t.is((await oidc.tokenIntrospection(config, access)).active, true);
    t.truthy((await oidc.refreshTokenGrant(config, refresh)).access_token, 'no attempt has harmed it');
  },
);

test.serial('a code is its client’s alone, and lasts sixty seconds', async (t) => {
  const client = await addClient(postern, { firstParty: true });
  const { agent, config } = await authorize(postern, client);
  const other = await discover(postern, await addClient(postern));
  const asked = await request(config);
  const { left } = await agent.get(asked.url);
  t.is(await refusedWith(redeem({ ...asked, config: other }, left!)), 'invalid_grant');
  pass(50_000);
  t.truthy((await redeem(asked, left!)).access_token);
  const late = await request(config);
  const answer = await agent.get(late.url);
  pass(61_000);
  t.is(await refusedWith(redeem(late, answer.left!)), 'invalid_grant');
});

test.serial('a browser application may call /token from its own origin, and no other page may for it', async (t) => {
  const spa = await addClient(postern, { type: 'spa', firstParty: true });
  const { left, asked, agent, config } = await authorize(postern, spa);
  t.truthy(left);
  const next = await request(config, { prompt: 'none' });
  const code = (await agent.get(next.url)).left?.searchParams.get('code') ?? '';
  const body = {
    grant_type: 'authorization_code',
    client_id: spa.id,
    code,
    redirect_uri: CALLBACK,
    code_verifier: next.verifier,
  };
  const evil = await tokenRequest(postern, body, { origin: 'https://evil.example' });
  t.is(evil.status, 400);
  t.is(evil.headers['access-control-allow-origin'], undefined);
  t.is((await tokenRequest(postern, body, { origin: 'null' })).status, 400);
  const own = await tokenRequest(postern, body, { origin: new URL(CALLBACK).origin });
  t.is(own.status, 200, own.text);
  t.is(own.headers['access-control-allow-origin'], new URL(CALLBACK).origin);
  t.is(own.headers['access-control-allow-credentials'], undefined);
  for (const path of [
    '/token',
    '/userinfo',
    '/revoke',
    '/.well-known/jwks.json',
    '/.well-known/openid-configuration',
  ]) {
    const preflight = await send(postern.url, {
      method: 'OPTIONS',
      path,
      headers: {
        origin: new URL(CALLBACK).origin,
        'access-control-request-method': path === '/token' ? 'POST' : 'GET',
        'access-control-request-headers': 'authorization,dpop',
      },
    });
    t.is(preflight.status, 204, path);
    t.regex(String(preflight.headers['access-control-allow-headers']), /dpop/i);
    t.is(preflight.headers['access-control-allow-credentials'], undefined);
  }
  for (const path of ['/authorize', '/logout', '/interaction/x']) {
    const page = await send(postern.url, { method: 'GET', path, headers: { origin: 'https://evil.example' } });
    t.is(page.headers['access-control-allow-origin'], undefined, path);
  }
  t.truthy(asked);
});

test.serial(
  'a page without an origin of its own may not call /token for an app that has a scheme of its own',
  async (t) => {
    const app = await addClient(postern, { type: 'native', redirectUris: ['com.example.prints:/callback'] });
    const body = {
      grant_type: 'authorization_code',
      client_id: app.id,
      code: 'x',
      redirect_uri: CALLBACK,
      code_verifier: 'x',
    };
    const sandboxed = await tokenRequest(postern, body, { origin: 'null' });
    t.is(sandboxed.status, 400);
    t.is(sandboxed.headers['access-control-allow-origin'], undefined);
  },
);

test.serial('PAR: a request_uri of openid-client works, and of 20 uses at once one gets a code', async (t) => {
  const client = await addClient(postern, { firstParty: true });
  const { agent, config } = await authorize(postern, client);
  for (let trial = 0; trial < 5; trial++) {
    const asked = await request(config);
    const url = await oidc.buildAuthorizationUrlWithPAR(config, Object.fromEntries(asked.url.searchParams));
    t.regex(url.searchParams.get('request_uri') ?? '', /^urn:ietf:params:oauth:request_uri:/);
    t.is(url.searchParams.get('scope'), null);
    const answers = await Promise.all(Array.from({ length: 20 }, () => agent.get(url)));
    const codes = answers.filter(({ left }) => left?.searchParams.has('code'));
    t.is(codes.length, 1);
    t.true(answers.every(({ status }) => status < 500));
    t.truthy((await redeem(asked, codes[0]!.left!)).access_token);
    t.falsy((await agent.get(url)).left?.searchParams.get('code'));
  }
  const other = await discover(postern, await addClient(postern));
  const pushed = await oidc.buildAuthorizationUrlWithPAR(
    other,
    Object.fromEntries((await request(other)).url.searchParams),
  );
  pushed.searchParams.set('client_id', client.id);
  const stolen = await agent.get(pushed);
  t.falsy(stolen.left?.searchParams.get('code'));
});

test.serial(
  'DPoP: tokens of a browser application are bound to its key, and only that key gets the retry',
  async (t) => {
    const spa = await addClient(postern, { type: 'spa', firstParty: true });
    const config = await discover(postern, spa);
    const agent = new UserAgent(postern.issuer);
    const asked = await request(config);
    const { left } = await signIn(agent, await agent.get(asked.url));
    const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair());
    const thief = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair());
    const checks = { pkceCodeVerifier: asked.verifier, expectedState: asked.state, expectedNonce: asked.nonce };
    const tokens = await oidc.authorizationCodeGrant(config, left!, checks, undefined, { DPoP });
    t.is(tokens.token_type, 'dpop');
    const { sub } = tokens.claims()!;
    t.truthy((decodeJwt(tokens.access_token)['cnf'] as { jkt?: string }).jkt);
    t.is((await oidc.fetchUserInfo(config, tokens.access_token, sub, { DPoP })).sub, sub);
    t.is((await userinfo(tokens.access_token)).status, 401);
    t.is((await userinfo(tokens.access_token, 'DPoP')).status, 400, 'a proof is missing');
    const refresh = (options: object) => oidc.refreshTokenGrant(config, tokens.refresh_token!, undefined, options);
    for (const when of ['before', 'after']) {
      t.is(await refusedWith(refresh({ DPoP: thief })), 'invalid_grant', `${when} its use`);
      t.is(await refusedWith(refresh({})), 'invalid_grant', `${when} its use`);
      if (when === 'before') t.truthy((await refresh({ DPoP })).refresh_token);
    }
    const again = await refresh({ DPoP });
    t.is(again.refresh_token, (await refresh({ DPoP })).refresh_token);
  },
);

test.serial(
  'whatever discovery says a client may sign with is taken, what openid-client calls it included',
  async (t) => {
    const { issuer } = postern;
    const named = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as Record<
      string,
      string[]
    >;
    const algorithms = named['dpop_signing_alg_values_supported'] ?? [];
    for (const endpoint of ['token', 'introspection', 'revocation']) {
      t.deepEqual(named[`${endpoint}_endpoint_auth_signing_alg_values_supported`], algorithms, endpoint);
      t.true(named[`${endpoint}_endpoint_auth_methods_supported`]?.includes('private_key_jwt'), endpoint);
    }
    const at = Math.floor(Date.now() / 1000);
    for (const alg of algorithms) {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
      const { key_ops: _, alg: __, ...jwk } = await exportJWK(publicKey);
      const client = await addClient(postern, { type: 'service', redirectUris: [], jwks: { keys: [jwk] } });
      const signed = (claims: object, header: object) =>
        new SignJWT({ jti: crypto.randomUUID(), iat: at, exp: at + 60, ...claims })
          .setProtectedHeader({ alg, ...header })
          .sign(privateKey);
      const answer = await tokenRequest(
        postern,
        {
          grant_type: 'client_credentials',
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: await signed({ iss: client.id, sub: client.id, aud: issuer }, {}),
        },
        { dpop: await signed({ htm: 'POST', htu: `${issuer}/token` }, { typ: 'dpop+jwt', jwk }) },
      );
      t.is(answer.status, 200, `${alg} ${answer.text}`);
    }
    const key = await oidc.randomDPoPKeyPair('Ed25519');
    const jwk = await exportJWK(key.publicKey);
    const client = await addClient(postern, { type: 'service', redirectUris: [], jwks: { keys: [jwk] } });
    const config = await discover(postern, client, oidc.PrivateKeyJwt(key.privateKey));
    const DPoP = oidc.getDPoPHandle(config, key);
    const { token_type, access_token } = await oidc.clientCredentialsGrant(config, undefined, { DPoP });
    t.is(token_type, 'dpop');
    t.true((await oidc.tokenIntrospection(config, access_token)).active);
    await t.notThrowsAsync(oidc.tokenRevocation(config, 'of nobody'));
  },
);

test.serial('a DPoP proof is good once: of 20 copies at once one passes', async (t) => {
  const client = await addClient(postern, { type: 'service', redirectUris: [] });
  const config = await discover(postern, client);
  const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair());
  let caught: RequestInit = {};
  config[oidc.customFetch] = async (_url, options) => {
    caught = options as RequestInit;
    return Response.json({ error: 'invalid_request' }, { status: 400 });
  };
  for (let trial = 0; trial < 5; trial++) {
    await refusedWith(oidc.clientCredentialsGrant(config, undefined, { DPoP }));
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => fetch(`${postern.issuer}/token`, { ...caught, signal: null })),
    );
    t.is(answers.filter(({ status }) => status === 200).length, 1);
    t.true(answers.every(({ status }) => status < 500));
  }
});

test.serial(
  'a native application comes back to any port of loopback, or to its own scheme, and is always asked about',
  async (t) => {
    const native = await addClient(postern, {
      type: 'native',
      redirectUris: ['http://127.0.0.1/callback', 'com.example.app:/callback'],
    });
    const config = await discover(postern, native);
    for (const redirect_uri of [
      'http://127.0.0.1:51234/callback',
      'http://127.0.0.1/callback',
      'com.example.app:/callback',
    ]) {
      const agent = new UserAgent(postern.issuer);
      const asked = await request(config, { redirect_uri });
      const consent = await agent.submit(await agent.get(asked.url), ADA);
      t.is(consent.page, 'consent', redirect_uri);
      t.true(
        consent.headers
          .get('content-security-policy')
          ?.includes(redirect_uri.startsWith('com') ? 'com.example.app:' : 'http:'),
      );
      const { left } = await signIn(agent, consent);
      t.true(left?.href.startsWith(redirect_uri), left?.href);
      t.truthy((await redeem(asked, left!)).access_token);
    }
    for (const redirect_uri of [
      'http://127.0.0.1:51234/other',
      'http://localhost:51234/callback',
      'com.example.app:/other',
    ]) {
      const answer = await new UserAgent(postern.issuer).get((await request(config, { redirect_uri })).url);
      t.is(answer.page, 'error', redirect_uri);
    }
  },
);

test.serial('an interaction of another browser: a page with words, 400; an expired one begins anew', async (t) => {
  const config = await discover(postern, await addClient(postern));
  const agent = new UserAgent(postern.issuer);
  const login = await agent.get((await request(config)).url);
  const foreign = await new UserAgent(postern.issuer).get(login.url);
  t.is(foreign.page, 'error');
  t.is(foreign.status, 400);
  t.regex(foreign.html, /role="alert"/);
  // Another interaction's cookie does not open this one.
  const thief = new UserAgent(postern.issuer);
  const own = await thief.get((await request(config)).url);
  const value = thief.cookieHeader(new URL(own.url).pathname);
  const crossed = await send(postern.url, {
    method: 'GET',
    path: new URL(login.url).pathname,
    headers: { cookie: value, accept: 'text/html' },
  });
  t.is(crossed.status, 400);
  t.notRegex(crossed.text, /name="password"/);
  pass(61 * 60_000);
  const late = await agent.submit(login, ADA);
  t.is(late.page, 'login');
  t.not(late.url, login.url);
  t.is(late.left, undefined, 'and nobody is signed in by it');
});

test.serial(
  'the back button and double clicks: forms sent twice sign in once, and end nowhere but at the application',
  async (t) => {
    const person = await addPerson(postern, 'clicker@example.com');
    const them = { email: person.email, password: PASSWORD };
    const client = await addClient(postern);
    const config = await discover(postern, client);
    const agent = new UserAgent(postern.issuer);
    const asked = await request(config);
    const login = await agent.get(asked.url);
    const [one, two] = await Promise.all([agent.submit(login, them), agent.submit(login, them)]);
    t.is(one.page, 'consent');
    t.is(two.page, 'consent');
    // Back to the sign-in form, which goes on to where things stand.
    const again = await agent.submit(login, { ...them, password: 'not looked at any more' });
    t.is(again.page, 'consent');
    const allow = () => agent.submit(again, {}, { name: 'decision', value: 'allow' });
    const answers = await Promise.all([allow(), allow()]);
    t.true(answers.every(({ status }) => status < 500));
    const codes = answers.filter(({ left }) => left?.searchParams.has('code'));
    t.true(codes.length >= 1);
    t.truthy((await redeem(asked, codes[0]!.left!)).access_token);
    pass(60_000);
    t.is((await agent.submit(again, {}, { name: 'decision', value: 'allow' })).page, 'answered');
    t.is((await agent.submit(login, { ...them, password: 'not looked at' })).page, 'answered');
    t.is((await postern.store.find('sessions', 'accountId', person.id)).rows.length, 1);
  },
);

test.serial('a person who is disabled while signed in is asked to sign in, and gets nowhere', async (t) => {
  const person = await addPerson(postern, 'leaver@example.com');
  const client = await addClient(postern);
  const config = await discover(postern, client);
  const agent = new UserAgent(postern.issuer);
  const asked = await request(config);
  const { left } = await signIn(agent, await agent.get(asked.url), 'leaver@example.com');
  const tokens = await redeem(asked, left!);
  const open = await agent.get((await request(config, { prompt: 'consent' })).url);
  t.is(open.page, 'consent');
  await postern.domain.accounts.setDisabled(person.id, true);
  const late = await agent.submit(open, {}, { name: 'decision', value: 'allow' });
  t.falsy(late.left?.searchParams.get('code'));
  t.is((await agent.get((await request(config)).url)).page, 'login');
  const silent = await agent.get((await request(config, { prompt: 'none' })).url);
  t.is(silent.left?.searchParams.get('error'), 'login_required');
  t.is((await userinfo(tokens.access_token)).status, 401);
  const login = await agent.get((await request(config)).url);
  t.is((await agent.submit(login, { email: 'leaver@example.com', password: PASSWORD })).page, 'login');
});

test.serial(
  'prompt: consent asks, login consent asks both, an unknown one is refused with the standard error',
  async (t) => {
    const { agent, config } = await authorize(postern, await addClient(postern));
    t.is((await agent.get((await request(config, { prompt: 'consent' })).url)).page, 'consent');
    const both = await request(config, { prompt: 'login consent' });
    const login = await agent.get(both.url);
    t.is(login.page, 'login');
    const consent = await agent.submit(login, ADA);
    t.is(consent.page, 'consent');
    t.truthy((await redeem(both, (await signIn(agent, consent)).left!)).access_token);
    const select = await agent.get((await request(config, { prompt: 'create_account' })).url);
    t.is(select.left?.searchParams.get('error'), 'invalid_request');
    const unknown = await agent.get((await request(config, { acr_values: 'urn:example:unknown' })).url);
    t.is(unknown.left?.searchParams.get('error'), 'unmet_authentication_requirements');
    const acr = await request(config, {
      acr_values: 'urn:example:unknown urn:postern:acr:one-factor',
      display: 'touch',
      ui_locales: 'xx zz',
    });
    t.truthy((await redeem(acr, (await agent.get(acr.url)).left!)).access_token);
  },
);

test.serial('offline_access is given only where consent was asked for, and outlives the sign-out then', async (t) => {
  const client = await addClient(postern);
  const scope = 'openid offline_access';
  const without = await authorize(postern, client, { scope });
  t.is(without.tokens.scope, 'openid');
  const { agent, config, tokens } = await authorize(postern, client, { scope, prompt: 'consent' });
  t.is(tokens.scope, scope);
  await agent.submit(await agent.get('/logout'), {}, { name: 'logout', value: 'yes' });
  t.is((await agent.get((await request(config)).url)).page, 'login');
  t.truthy((await oidc.refreshTokenGrant(config, tokens.refresh_token!)).access_token);
  t.truthy((await oidc.refreshTokenGrant(without.config, without.tokens.refresh_token!)).access_token);
  await without.agent.submit(await without.agent.get('/logout'), {}, { name: 'logout', value: 'yes' });
  pass(31_000);
  t.is(await refusedWith(oidc.refreshTokenGrant(without.config, without.tokens.refresh_token!)), 'invalid_grant');
});

test.serial('id_token_hint of another person: login_required, silently or after somebody else signed in', async (t) => {
  await addPerson(postern, 'grace@example.com', 'Grace Hopper');
  const client = await addClient(postern, { firstParty: true });
  const config = await discover(postern, client);
  const grace = new UserAgent(postern.issuer);
  const first = await request(config);
  const hers = await redeem(first, (await signIn(grace, await grace.get(first.url), 'grace@example.com')).left!);
  const { agent } = await authorize(postern, client);
  const hint = { id_token_hint: hers.id_token! };
  const silent = await agent.get((await request(config, { ...hint, prompt: 'none' })).url);
  t.is(silent.left?.searchParams.get('error'), 'login_required');
  const login = await agent.get((await request(config, hint)).url);
  t.is(login.page, 'login');
  t.is((await agent.submit(login, ADA)).left?.searchParams.get('error'), 'login_required');
  t.truthy((await grace.get((await request(config, { ...hint, prompt: 'none' })).url)).left?.searchParams.get('code'));
});

test.serial('a request whose body never ends holds up nobody, and leaves nothing', async (t) => {
  const { port } = new URL(postern.url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(
    'POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\ngrant_type=',
  );
  const { tokens } = await authorize(postern, await addClient(postern));
  t.truthy(tokens.access_token);
  const before = log.length;
  socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.notRegex(log.slice(before), /"level":"error"/);
});

test.serial(
  'wrong passwords by form and by password grant count together; parallel ones never exceed the limit',
  async (t) => {
    const env = { POSTERN_GUESSES_ACCOUNT: '5', POSTERN_GUESSES_NETWORK: '50', POSTERN_GUESSES_WINDOW: '10m' };
    const own = await startPostern({ env });
    try {
      await addPerson(own);
      await addPerson(own, 'known@example.com');
      const client = await addClient(own, { passwordGrant: true });
      const { agent: known, config } = await authorize(own, client);
      const basic = Buffer.from(`${client.id}:${client.secret}`).toString('base64');
      const grant = (password: string) =>
        tokenRequest(
          own,
          { grant_type: 'password', username: 'ADA@example.com', password, scope: 'openid' },
          { authorization: `Basic ${basic}` },
        );
      const strangers = await Promise.all(
        Array.from({ length: 12 }, async () => {
          const agent = new UserAgent(own.issuer);
          return { agent, page: await agent.get((await request(config)).url) };
        }),
      );
      const tries = await Promise.all([
        ...strangers.map(async ({ agent, page }) => {
          const { status, headers } = await agent.submit(page, { ...ADA, password: 'wrong password' });
          return { status, retryAfter: headers.get('retry-after') };
        }),
        ...Array.from({ length: 12 }, async () => {
          const { status, headers } = await grant('wrong password');
          return { status, retryAfter: headers['retry-after'] };
        }),
      ]);
      t.is(tries.filter(({ status }) => status === 400).length, 5);
      const limited = tries.filter(({ status }) => status === 429);
      t.is(limited.length, 19);
      t.true(limited.every(({ retryAfter }) => Number(retryAfter) > 0 && Number(retryAfter) <= 600));
      t.is((await grant(PASSWORD)).status, 429, 'not even the right one');
      const error = JSON.parse((await grant(PASSWORD)).text) as { error: string; error_id: string };
      t.is(error.error, 'invalid_grant');
      // The owner, on a browser that has signed in before, is not locked out.
      const login = await known.get((await request(config, { prompt: 'login' })).url);
      t.truthy((await known.submit(login, ADA)).left?.searchParams.get('code'));
      pass(10 * 60_000 + 1000);
      t.is((await grant(PASSWORD)).status, 200);
      const { agent } = strangers[0]!;
      const later = await agent.get((await request(config)).url);
      t.truthy((await agent.submit(later, ADA)).left?.searchParams.get('code'));
    } finally {
      await own.close();
    }
  },
);
