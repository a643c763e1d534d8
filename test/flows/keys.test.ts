import { generateKeyPairSync, verify } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { days } from '../../src/lib/index.ts';
import { wholeWay } from '../support/both-ways.ts';
import { authorize, discover, request } from '../support/client.ts';
import { pass } from '../support/clock.ts';
import { send } from '../support/hostile.ts';
import { addClient, addPerson, type Postern, startPostern } from '../support/postern.ts';
import { basic } from '../support/program-requests.ts';
import { UserAgent } from '../support/user-agent.ts';

const LEAD = 40_000;
const env = { POSTERN_SIGNING_JWKS_MAX_AGE: '1s' };

let postern: Postern;
test.beforeEach(async () => {
  postern = await startPostern({ env });
  await addPerson(postern);
});
test.afterEach.always(() => postern.close());

const kidOf = (token: string): string => decodeProtectedHeader(token).kid ?? '';

/** Checks tokens as an API does: with the published keys, fetched anew as often as we allow them to be kept. */
const verifier = ({ issuer }: Postern, alg = 'RS256') => {
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', issuer), {
    cooldownDuration: 1000,
    cacheMaxAge: 1000,
  });
  return (token: string) => jwtVerify(token, keys, { issuer, typ: 'at+jwt', algorithms: [alg] });
};

const machine = async () => {
  const config = await discover(postern, await addClient(postern, { type: 'service', redirectUris: [] }));
  return async () => (await oidc.clientCredentialsGrant(config)).access_token;
};

const jwks = async (): Promise<string[]> =>
  ((await (await fetch(`${postern.issuer}/.well-known/jwks.json`)).json()) as { keys: { kid: string }[] }).keys.map(
    ({ kid }) => kid,
  );

test.serial(
  'rotation under load: not one token fails its check, and the new key signs only once everyone can know it',
  async (t) => {
    const [token, check] = [await machine(), verifier(postern)];
    const old = kidOf(await token());
    await check(await token());
    let stop = false;
    const kids: string[] = [];
    const early: string[] = [];
    const stream = async () => {
      while (!stop) {
        const issued = await token();
        kids.push(kidOf(issued));
        if (early.length < 20) early.push(issued);
        await check(issued);
      }
    };
    const streams = Promise.all([stream(), stream(), stream(), stream()]);
    const reached = async (count: number) => {
      while (!stop && kids.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    // A failed check ends the wait.
    const until = (count: number) => Promise.race([reached(kids.length + count), streams]);
    await until(40);
    const { kid } = await postern.domain.keys.rotate();
    t.deepEqual((await jwks()).toSorted(), [old, kid].toSorted(), 'published at once');
    await until(40);
    pass(LEAD - 20_000);
    await postern.domain.keys.tick();
    await until(40);
    t.deepEqual([...new Set(kids)], [old], 'signs nothing before the lead is over');
    pass(20_500);
    await postern.domain.keys.tick();
    await until(80);
    stop = true;
    await streams;
    t.deepEqual([...new Set(kids)], [old, kid]);
    t.is(kids.at(-1), kid);
    for (const issued of early) t.truthy((await check(issued)).payload.jti, 'what the old key signed still verifies');
    const row = await postern.store.get('signing_keys', old);
    t.truthy(row);
    t.is(row?.record.sealedPrivateKey, undefined, 'the private part of a retired key is destroyed');
    t.truthy((await postern.store.get('signing_keys', kid))?.record.sealedPrivateKey);
    pass(30 * 86_400_000 + 61_000);
    await postern.domain.keys.tick();
    t.false((await jwks()).includes(old), 'and it is dropped when nothing it signed is alive');
  },
);

test.serial('refresh tokens and id_token_hints of the key before the rotation still work', async (t) => {
  const { config, tokens, agent } = await authorize(postern, await addClient(postern));
  await postern.domain.keys.rotate();
  pass(LEAD + 500);
  await postern.domain.keys.tick();
  const next = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
  t.not(kidOf(next.access_token), kidOf(tokens.access_token));
  t.not(kidOf(next.refresh_token!), kidOf(tokens.refresh_token!));
  const hinted = await agent.get((await request(config, { prompt: 'none', id_token_hint: tokens.id_token! })).url);
  t.truthy(hinted.left?.searchParams.get('code'));
});

test.serial('a revoked key: what it signed is refused at once everywhere, and another key signs', async (t) => {
  const client = await addClient(postern);
  const { config, tokens, agent } = await authorize(postern, client);
  const old = kidOf(tokens.access_token);
  await postern.domain.keys.revoke(old);
  t.false((await jwks()).includes(old));
  t.false((await oidc.tokenIntrospection(config, tokens.access_token)).active);
  const userinfo = await fetch(`${postern.issuer}/userinfo`, {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  });
  t.is(userinfo.status, 401);
  const refused = await t.throwsAsync<oidc.ResponseBodyError>(oidc.refreshTokenGrant(config, tokens.refresh_token!));
  t.is(refused?.error, 'invalid_grant');
  await t.throwsAsync(verifier(postern)(tokens.access_token), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
  const fresh = await authorize(postern, client, {}, agent);
  t.not(kidOf(fresh.tokens.access_token), old);
  t.truthy((await verifier(postern)(fresh.tokens.access_token)).payload.sub);
  t.is(await postern.store.get('signing_keys', old), undefined);
});

test.serial('whoever signs out by an ID token of a key that is gone is asked and sent back all the same', async (t) => {
  const bye = 'http://localhost:4999/bye';
  const client = await addClient(postern, { postLogoutRedirectUris: [bye] });
  const { config, tokens, agent } = await authorize(postern, client);
  const out = { post_logout_redirect_uri: bye, id_token_hint: tokens.id_token! };
  await postern.domain.keys.revoke(kidOf(tokens.id_token!));
  const [head, , signature] = tokens.id_token!.split('.');
  const others = Buffer.from(JSON.stringify({ iss: 'https://other.example', aud: client.id })).toString('base64url');
  for (const id_token_hint of ['x', `${head}.${others}.${signature}`])
    t.is((await agent.get(oidc.buildEndSessionUrl(config, { ...out, id_token_hint }))).status, 400);
  const evil = { ...out, post_logout_redirect_uri: 'http://evil.example/' };
  t.is((await agent.get(oidc.buildEndSessionUrl(config, evil))).status, 400);
  const question = await agent.get(oidc.buildEndSessionUrl(config, out));
  t.is(question.page, 'logout');
  const { left } = await agent.submit(question, {}, { name: 'logout', value: 'yes' });
  t.is(left?.href.split('?')[0], bye);
  t.is((await agent.get((await request(config)).url)).page, 'login');
});

test.serial(
  'whoever signs out by an ID token of an application that was removed is asked, and sent nowhere',
  async (t) => {
    const bye = 'http://localhost:4999/bye';
    const client = await addClient(postern, { postLogoutRedirectUris: [bye] });
    const { config, tokens, agent } = await authorize(postern, client);
    await postern.domain.clients.remove(client.id);
    const out = { post_logout_redirect_uri: bye, id_token_hint: tokens.id_token! };
    const question = await agent.get(oidc.buildEndSessionUrl(config, out));
    t.is(question.page, 'logout');
    t.is((await agent.submit(question, {}, { name: 'logout', value: 'yes' })).page, 'signed-out');
  },
);

test.serial('revoking the signing key while its successor waits makes the successor sign at once', async (t) => {
  const token = await machine();
  const old = kidOf(await token());
  const { kid } = await postern.domain.keys.rotate();
  await postern.domain.keys.revoke(old);
  t.deepEqual(await jwks(), [kid]);
  t.is(kidOf(await token()), kid);
});

test.serial('a key of one’s own is published, then signs; what is no fit key is refused with words', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const { kid, state } = await postern.domain.keys.importPem(pem);
  t.is(state, 'published');
  const token = await machine();
  t.not(kidOf(await token()), kid);
  pass(LEAD + 500);
  await postern.domain.keys.tick();
  const issued = await token();
  t.is(kidOf(issued), kid);
  const [header, payload, signature = ''] = issued.split('.');
  t.true(verify('sha256', Buffer.from(`${header}.${payload}`), publicKey, Buffer.from(signature, 'base64url')));
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  for (const [bad, code] of [
    [pem, 'key_exists'],
    [small.export({ type: 'pkcs8', format: 'pem' }), 'key_unfit'],
    [curve.export({ type: 'pkcs8', format: 'pem' }), 'key_unfit'],
    [publicKey.export({ type: 'spki', format: 'pem' }), 'key_unreadable'],
    ['nonsense', 'key_unreadable'],
  ] as [string, string][])
    await t.throwsAsync(postern.domain.keys.importPem(bad), { code, message: /\w+ \w+/ });
});

test.serial(
  'JWKS and discovery say how long they may be kept, carry an ETag and answer 304 until they change',
  async (t) => {
    const get = (path: string, headers: Record<string, string> = {}) =>
      send(postern.url, { method: 'GET', path, headers });
    for (const path of [
      '/.well-known/jwks.json',
      '/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server',
    ]) {
      const first = await get(path);
      t.is(first.status, 200);
      t.is(first.headers['cache-control'], 'public, max-age=1');
      const etag = String(first.headers['etag']);
      t.regex(etag, /^"[\w-]{20,}"$/);
      const again = await get(path, { 'if-none-match': etag });
      t.is(again.status, 304);
      t.is(again.text, '');
      if (path.endsWith('jwks.json')) {
        t.notRegex(first.text, /"(d|p|q|dp|dq|qi)":/);
        await postern.domain.keys.rotate();
        t.is((await get(path, { 'if-none-match': etag })).status, 200);
      }
    }
  },
);

test.serial('sessions and forms that are open survive the rotation of the cookie keys', async (t) => {
  const client = await addClient(postern);
  const { agent, config } = await authorize(postern, client);
  pass(29 * 86_400_000);
  const { agent: later } = await authorize(postern, client);
  const form = new UserAgent(postern.issuer);
  const login = await form.get((await request(config)).url);
  const [before] = postern.domain.cookieKeys.current();
  await agent.get((await request(config, { prompt: 'none' })).url);
  pass(86_400_000 - 60 * 60_000);
  pass(59 * 60_000);
  await postern.domain.cookieKeys.tick();
  t.is(postern.domain.cookieKeys.current()[0], before);
  const open = await form.get((await request(config)).url);
  pass(2 * 60_000);
  await postern.domain.cookieKeys.tick();
  t.is(postern.domain.cookieKeys.current()[0], before, 'every process knows it before it signs');
  pass(60_000);
  t.not(postern.domain.cookieKeys.current()[0], before);
  t.is(postern.domain.cookieKeys.current()[1], before);
  t.truthy((await later.get((await request(config, { prompt: 'none' })).url)).left?.searchParams.get('code'));
  const answer = await form.submit(open, { email: 'ada@example.com', password: 'correct horse battery staple' });
  t.truthy(answer.left?.searchParams.get('code'), `shown ${answer.page} (${answer.status})`);
  t.is(login.page, 'login');
});

test.serial('another master key than the data was sealed under refuses to start, with words', async (t) => {
  writeFileSync(join(postern.folder, 'keys', 'master.key'), `${Buffer.alloc(32, 7).toString('base64url')}\n`);
  await t.throwsAsync(postern.restart(), {
    code: 'master_key_mismatch',
    message: /sealed under another master key.*put back/,
  });
});

test.serial('a restart in the middle of a rotation changes nothing of it', async (t) => {
  const client = await addClient(postern, { type: 'service', redirectUris: [] });
  const ask = async () => (await oidc.clientCredentialsGrant(await discover(postern, client))).access_token;
  const issued = await ask();
  const { kid } = await postern.domain.keys.rotate();
  postern = await postern.restart();
  t.is(kidOf(await ask()), kidOf(issued));
  t.true((await jwks()).includes(kid));
  await t.throwsAsync(postern.domain.keys.rotate(), { code: 'key_pending' });
  pass(LEAD + 500);
  postern = await postern.restart();
  t.is(kidOf(await ask()), kid);
  t.truthy((await verifier(postern)(issued)).payload.jti);
  t.is((await postern.store.get('signing_keys', kidOf(issued)))?.record.sealedPrivateKey, undefined);
});

test.serial('a key that is thirty days old is replaced by itself', async (t) => {
  const [old] = postern.domain.keys.list();
  pass(30 * 86_400_000 + 1000);
  await postern.domain.keys.tick();
  t.deepEqual(
    postern.domain.keys.list().map(({ state }) => state),
    ['signing', 'published'],
  );
  pass(LEAD + 500);
  await postern.domain.keys.tick();
  t.is(postern.domain.keys.list().find(({ kid }) => kid === old?.kid)?.state, 'retired');
});

test.serial('a retired key verifies for as long as the longest token that it may have signed', async (t) => {
  for (const long of ['POSTERN_TOKENS_ACCESS', 'POSTERN_TOKENS_ID']) {
    const patient = await startPostern({ env: { ...env, [long]: '60d' } });
    t.teardown(() => patient.close());
    const { keys } = patient.domain;
    const old = keys.signer().kid;
    await keys.rotate();
    pass(LEAD);
    await keys.refresh();
    const { dropsAt = 0 } = keys.list().find(({ kid }) => kid === old)!;
    t.true(dropsAt >= keys.signer().signsFrom + days(60), long);
  }
});

test.serial(
  'a refresh that is tried again after the keys rotated gets the same tokens, signed by the new key',
  async (t) => {
    const { keys } = postern.domain;
    const { config, tokens } = await authorize(postern, await addClient(postern));
    await keys.rotate();
    pass(LEAD - 10_000);
    const first = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
    pass(20_000);
    await keys.tick();
    const again = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
    for (const name of ['access_token', 'refresh_token', 'id_token'] as const) {
      t.deepEqual(decodeJwt(again[name]!), decodeJwt(first[name]!), name);
      t.not(kidOf(again[name]!), kidOf(first[name]!), name);
    }
    t.truthy((await oidc.refreshTokenGrant(config, again.refresh_token!)).access_token);
  },
);

test.serial('an API that wants another algorithm later gets it with its next token', async (t) => {
  const { keys, resources } = postern.domain;
  const uri = 'https://later.example.com';
  await resources.add({ uri, scopes: [] });
  const service = await addClient(postern, { type: 'service', redirectUris: [], resources: [uri] });
  const algOf = async () => {
    const { access_token } = await oidc.clientCredentialsGrant(await discover(postern, service));
    return decodeProtectedHeader(access_token).alg;
  };
  t.is(await algOf(), 'RS256');
  const { kid } = await keys.rotate('ES256');
  await t.throwsAsync(resources.update(uri, { alg: 'ES256' }), { code: 'alg_unavailable' });
  pass(LEAD);
  await keys.tick();
  await resources.update(uri, { alg: 'ES256' });
  t.is(await algOf(), 'ES256');
  await resources.update(uri, { alg: 'RS256' });
  t.is(await algOf(), 'RS256');
  await keys.revoke(kid);
});

for (const alg of ['ES256', 'PS256'] as const) {
  const uri = 'https://files.example.com';

  /** A key of this algorithm that signs, and an API that wants it. */
  const withApi = async () => {
    const { keys, resources } = postern.domain;
    const { kid } = await keys.rotate(alg);
    pass(LEAD);
    await keys.tick();
    await resources.add({ uri, scopes: ['files.read'], alg, revocable: true });
    return kid;
  };

  test.serial(
    `an API that wants ${alg} is sent nothing else, by every grant and way; all others get RS256`,
    async (t) => {
      const kid = await withApi();
      const client = await addClient(postern, { resources: [uri], passwordGrant: true });
      const { config, tokens } = await authorize(postern, client, { scope: 'openid files.read' });
      const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
      // These algorithms draw a random number: signing it again would not be the same.
      t.deepEqual({ ...(await oidc.refreshTokenGrant(config, tokens.refresh_token!)) }, { ...refreshed });
      const service = await addClient(postern, { type: 'service', redirectUris: [], resources: [uri] });
      const person = `username=ada@example.com&password=${encodeURIComponent('correct horse battery staple')}`;
      const issued = [tokens.access_token, refreshed.access_token];
      for (const [{ id, secret = '' }, form] of [
        [service, 'grant_type=client_credentials'],
        [client, `grant_type=password&scope=files.read&${person}`],
      ] as const)
        for (const path of ['/token', wholeWay('/token')]) {
          const headers = {
            authorization: basic({ id, secret }),
            'content-type': 'application/x-www-form-urlencoded',
          };
          const answer = await send(postern.url, { method: 'POST', path, headers, body: form });
          issued.push((JSON.parse(answer.text) as { access_token: string }).access_token);
        }
      const check = verifier(postern, alg);
      for (const token of issued) {
        t.is((await check(token)).payload.aud, uri);
        t.is(kidOf(token), kid);
      }
      const asked = await fetch(`${postern.issuer}/userinfo`, { headers: { authorization: `Bearer ${issued[1]}` } });
      t.is(asked.status, 200);
      t.is(decodeProtectedHeader(tokens.id_token!).alg, 'RS256');
      t.is(decodeProtectedHeader(tokens.refresh_token!).alg, 'RS256');
      t.is(decodeProtectedHeader(await (await machine())()).alg, 'RS256');
      const discovered = await fetch(`${postern.issuer}/.well-known/openid-configuration`);
      t.deepEqual(((await discovered.json()) as Record<string, unknown>)['id_token_signing_alg_values_supported'], [
        'RS256',
      ]);
    },
  );

  test.serial(`a token signed ${alg} is introspected and revoked, and its key replaced, like any other`, async (t) => {
    const kid = await withApi();
    const { keys } = postern.domain;
    const client = await addClient(postern, { type: 'service', redirectUris: [], resources: [uri] });
    const config = await discover(postern, client);
    const ask = async () => (await oidc.clientCredentialsGrant(config)).access_token;
    const active = async (token: string) => (await oidc.tokenIntrospection(config, token)).active;
    const [issued, ended] = [await ask(), await ask()];
    t.true(await active(issued));
    await oidc.tokenRevocation(config, ended);
    t.false(await active(ended));

    const next = await keys.rotate(alg);
    t.true((await jwks()).includes(next.kid));
    t.is(kidOf(await ask()), kid, 'published before it signs');
    pass(LEAD);
    await keys.tick();
    const fresh = await ask();
    t.is(kidOf(fresh), next.kid);
    t.truthy(await verifier(postern, alg)(issued));
    t.true(await active(issued));
    await keys.revoke(next.kid);
    t.false(await active(fresh));
    t.true(await active(issued));
    t.is((await verifier(postern, alg)(await ask())).protectedHeader.alg, alg);
  });
}

test.serial('no API is promised what no key signs yet', async (t) => {
  const { keys, resources } = postern.domain;
  const api = { uri: 'https://files.example.com', alg: 'ES256' } as const;
  const refused = (message: RegExp) => t.throwsAsync(resources.add(api), { code: 'alg_unavailable', message });
  await refused(/keys rotate --alg ES256/);
  t.is((await keys.rotate('ES256')).state, 'published', 'the first one is published ahead as well');
  await refused(/signs from \d{4}-/);
  pass(LEAD);
  await t.notThrowsAsync(resources.add(api));
});

test.serial('the only key of an algorithm, revoked, is replaced: an API may count on it', async (t) => {
  const { keys } = postern.domain;
  const { kid } = await keys.rotate('ES256');
  pass(LEAD);
  await keys.tick();
  await keys.revoke(kid);
  t.not(keys.signer('ES256').kid, kid);
});
