import test from 'ava';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import { seconds } from '../../src/lib/index.ts';
import { type Change, type Store, StoreUnavailable, type TableName } from '../../src/store/index.ts';
import { authorize, discover, type Registered, redeem, request, signIn } from '../support/client.ts';
import { pass } from '../support/clock.ts';
import { addClient, addPerson, CALLBACK, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { UserAgent } from '../support/user-agent.ts';

/** What two requests, or a request and an operator, do to one another when they meet at the worst moment. */
let postern: Postern;
test.before(async () => {
  postern = await startPostern();
  await addPerson(postern);
});
test.after.always(() => postern.close());

let count = 0;
const person = () => addPerson(postern, `p${++count}@example.com`);
const ALLOW = { name: 'decision', value: 'allow' };
const wordOf = <R>(asked: Promise<R>): Promise<string> =>
  asked.then(
    () => 'ok',
    (error: oidc.ResponseBodyError) => error.error ?? error.message,
  );

/** Runs `first` just before the first commit that fits. */
function before(fits: (change: Change) => boolean, first: () => Promise<unknown>): void {
  const store = postern.store as { commit: Store['commit'] };
  const real = postern.store.commit;
  store.commit = async function (this: Store, changes) {
    if (changes.some(fits)) {
      store.commit = real;
      await first();
    }
    return real.call(this, changes);
  };
}
const puts = (table: TableName) => (change: Change) => 'put' in change && change.put === table;

/** Every commit waits a little, as on a slow disk or a database. */
function slow(milliseconds = 30): () => void {
  const store = postern.store as { commit: Store['commit'] };
  const real = postern.store.commit;
  store.commit = async function (this: Store, changes) {
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    return real.call(this, changes);
  };
  return () => {
    store.commit = real;
  };
}

/** Holds the first commits that fit until so many have come: none of them has seen what another one does. */
function meeting(fits: (change: Change) => boolean, count = 2): () => void {
  const store = postern.store as { commit: Store['commit'] };
  const real = postern.store.commit;
  const all = Promise.withResolvers<void>();
  let come = 0;
  store.commit = async function (this: Store, changes) {
    if (changes.some(fits)) {
      come += 1;
      if (come === count) all.resolve();
      await all.promise;
    }
    return real.call(this, changes);
  };
  return () => {
    store.commit = real;
  };
}

async function atConsent({ email }: { email: string }, client: Registered, agent = new UserAgent(postern.issuer)) {
  const asked = await request(await discover(postern, client));
  const consent = await agent.submit(await agent.get(asked.url), { email, password: PASSWORD });
  return { asked, agent, consent };
}

/** Signs in up to the address that returns to the engine, and does not go there. */
async function upToReturn(agent: UserAgent, url: string | URL, email: string, more: Record<string, string> = {}) {
  const page = await agent.get(url);
  agent.stopsBefore = '/authorize/';
  const { left } = await agent.submit(page, { email, password: PASSWORD, ...more });
  agent.stopsBefore = undefined;
  return left!;
}

/** A client that proves itself by assertions, a code of its, and four assertions. */
async function withAssertions() {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  const client = await addClient(postern, { firstParty: true, jwks: { keys: [jwk] } });
  const config = await discover(postern, client, oidc.PrivateKeyJwt({ key: privateKey, kid: 'k1' }));
  const assertion = () =>
    new SignJWT({})
      .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
      .setIssuer(client.id)
      .setSubject(client.id)
      .setAudience(postern.issuer)
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey);
  const agent = new UserAgent(postern.issuer);
  const asked = await request(config);
  return {
    asked,
    left: (await signIn(agent, await agent.get(asked.url))).left!,
    four: await Promise.all([1, 2, 3, 4].map(assertion)),
    send: async (client_assertion: string, more: Record<string, string>) => {
      const body = new URLSearchParams({
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion,
        ...more,
      });
      return (await fetch(`${postern.issuer}/token`, { method: 'POST', body })).status;
    },
  };
}

test.serial('a changed password ends a sign-in that was begun with the old one', async (t) => {
  const p = await person();
  const { agent, consent } = await atConsent(p, await addClient(postern));
  t.is(consent.page, 'consent');
  await postern.domain.accounts.setPassword(p.id, 'a wholly different password');
  const answer = await agent.submit(consent, {}, ALLOW);
  t.falsy(answer.left);
  t.is(answer.page, 'login');
});

test.serial('… and one whose password is being looked at', async (t) => {
  const p = await person();
  const agent = new UserAgent(postern.issuer);
  const asked = await request(await discover(postern, await addClient(postern, { firstParty: true })));
  const page = await agent.get(asked.url);
  const accounts = postern.domain.accounts as { authenticate: typeof postern.domain.accounts.authenticate };
  const real = accounts.authenticate;
  accounts.authenticate = async (email, password) => {
    accounts.authenticate = real;
    const found = await real(email, password);
    await postern.domain.accounts.setPassword(p.id, 'another long password');
    return found;
  };
  t.falsy((await agent.submit(page, { email: p.email, password: PASSWORD })).left?.searchParams.get('code'));
});

test.serial('… and one whose code or tokens are being written down', async (t) => {
  const p = await person();
  const change = () => postern.domain.accounts.setPassword(p.id, 'another long password');
  const config = await discover(postern, await addClient(postern, { passwordGrant: true }));
  before(puts('refresh_tokens'), change);
  const asked = { username: p.email, password: PASSWORD, scope: 'openid' };
  t.is(await wordOf(oidc.genericGrantRequest(config, 'password', asked)), 'invalid_grant');
  const q = await person();
  const agent = new UserAgent(postern.issuer);
  const page = await agent.get(
    (await request(await discover(postern, await addClient(postern, { firstParty: true })))).url,
  );
  before(puts('authorization_codes'), () => postern.domain.accounts.setPassword(q.id, 'another long password'));
  t.falsy((await agent.submit(page, { email: q.email, password: PASSWORD })).left);
  t.is((await postern.store.find('sessions', 'accountId', q.id)).rows.length, 0);
});

for (const milliseconds of [0, 5]) {
  test.serial(
    `tabs of one application, its first time in this session, all get a code that works (${milliseconds} ms)`,
    async (t) => {
      const { agent } = await authorize(postern, await addClient(postern));
      for (let round = 0; round < 5; round++) {
        const config = await discover(postern, await addClient(postern, { firstParty: true }));
        const requests = await Promise.all([1, 2, 3].map(() => request(config)));
        const end = slow(milliseconds);
        const answers = await Promise.all(requests.map(({ url }) => agent.get(url)));
        end();
        for (const [i, asked] of requests.entries()) t.truthy((await redeem(asked, answers[i]!.left!)).access_token);
      }
    },
  );
}

test.serial('two tabs of one application, each signed in and allowed in turn, both stay signed in', async (t) => {
  const { email } = await person();
  const config = await discover(postern, await addClient(postern));
  const agent = new UserAgent(postern.issuer);
  const requests = [await request(config), await request(config)];
  const logins = await Promise.all(requests.map(({ url }) => agent.get(url)));
  const consents = [];
  for (const page of logins) consents.push(await agent.submit(page, { email, password: PASSWORD }));
  const tokens = [];
  for (const [i, page] of consents.entries()) {
    const answer = await agent.submit(page, {}, ALLOW);
    tokens.push(await redeem(requests[i]!, answer.left!));
  }
  for (const { refresh_token } of tokens) t.is(await wordOf(oidc.refreshTokenGrant(config, refresh_token!)), 'ok');
});

test.serial('two consents allowed at one moment are one session, and signing out ends both', async (t) => {
  for (let round = 0; round < 5; round++) {
    const { agent } = await authorize(postern, await addClient(postern));
    const requests = await Promise.all(
      [1, 2].map(async () => request(await discover(postern, await addClient(postern)))),
    );
    const pages = [];
    for (const { url } of requests) pages.push(await agent.get(url));
    const end = meeting(puts('authorization_codes'));
    const answers = await Promise.all(pages.map((page) => agent.submit(page, {}, ALLOW)));
    end();
    const tokens = [];
    for (const [i, asked] of requests.entries()) tokens.push(await redeem(asked, answers[i]!.left!));
    await agent.submit(await agent.get('/logout'), {}, { name: 'logout', value: 'yes' });
    for (const [i, { refresh_token }] of tokens.entries()) {
      t.is(await wordOf(oidc.refreshTokenGrant(requests[i]!.config, refresh_token!)), 'invalid_grant');
    }
  }
});

test.serial('a silent sign-in while another tab returns from its consent page keeps its code', async (t) => {
  const { agent } = await authorize(postern, await addClient(postern));
  const consent = await agent.get((await request(await discover(postern, await addClient(postern)))).url);
  const silent = await request(await discover(postern, await addClient(postern, { firstParty: true })), {
    prompt: 'none',
  });
  let left: URL | undefined;
  before(puts('authorization_codes'), async () => {
    const headers = { cookie: agent.cookieHeader('/authorize') };
    left = new URL((await fetch(silent.url, { redirect: 'manual', headers })).headers.get('location') ?? '');
  });
  t.truthy((await agent.submit(consent, {}, ALLOW)).left);
  t.truthy((await redeem(silent, left!)).access_token);
});

test.serial('the same return to the engine twice at one moment makes one session', async (t) => {
  const p = await person();
  const agent = new UserAgent(postern.issuer);
  const asked = await request(await discover(postern, await addClient(postern, { firstParty: true })));
  const back = await upToReturn(agent, asked.url, p.email);
  const end = slow();
  const headers = { cookie: agent.cookieHeader(back.pathname) };
  await Promise.all([1, 2].map(() => fetch(back, { redirect: 'manual', headers })));
  end();
  t.is((await postern.store.find('sessions', 'accountId', p.id)).rows.length, 1);
});

test.serial(
  'disabled or removed while the consent page is open: no code, no error of ours, nothing written',
  async (t) => {
    for (const end of ['setDisabled', 'remove'] as const) {
      const p = await person();
      const client = await addClient(postern);
      const { agent, consent } = await atConsent(p, client);
      await (end === 'remove' ? postern.domain.accounts.remove(p.id) : postern.domain.accounts.setDisabled(p.id, true));
      const answer = await agent.submit(consent, {}, ALLOW);
      t.true(answer.status < 500);
      t.falsy(answer.left);
      t.is(await postern.domain.consents.find(p.id, client.id), undefined);
    }
  },
);

test.serial('assertions of those who lost the race for a code or a refresh are remembered', async (t) => {
  const { asked, left, send, four } = await withAssertions();
  const code = {
    grant_type: 'authorization_code',
    code: left.searchParams.get('code')!,
    redirect_uri: CALLBACK,
    code_verifier: asked.verifier,
  };
  const answers = await Promise.all(four.map((assertion) => send(assertion, code)));
  t.deepEqual(answers.toSorted(), [200, 400, 400, 400]);
  for (const assertion of four) t.is(await send(assertion, { grant_type: 'refresh_token', refresh_token: 'x' }), 401);

  const other = await withAssertions();
  const tokens = await redeem(other.asked, other.left);
  const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token! };
  const first = await Promise.all(other.four.map((assertion) => other.send(assertion, refresh)));
  t.deepEqual(first, [200, 200, 200, 200]);
  for (const assertion of other.four) t.is(await other.send(assertion, refresh), 401);
});

test.serial('what was withdrawn while an authorization was being answered is not brought back by it', async (t) => {
  const p = await person();
  const client = await addClient(postern);
  const config = await discover(postern, client);
  const agent = new UserAgent(postern.issuer);
  const first = await request(config);
  await redeem(first, (await signIn(agent, await agent.get(first.url), p.email)).left!);
  before(puts('authorization_codes'), () => postern.domain.consents.withdraw(p.id, client.id));
  t.is((await agent.get((await request(config)).url)).page, 'consent');
});

test.serial('a consent page shown to one person is not answered for another', async (t) => {
  const [ada, grace] = [await person(), await person()];
  const client = await addClient(postern);
  const { agent, consent } = await atConsent(ada, client);
  const login = await agent.submit(consent, {}, { name: 'decision', value: 'switch' });
  t.is((await agent.submit(login, { email: grace.email, password: PASSWORD })).page, 'consent');
  const refused = await agent.submit(consent, {}, ALLOW);
  t.is(refused.status, 403);
  t.is(await postern.domain.consents.find(grace.id, client.id), undefined);
  const [, again] = /<a class="plain" href="([^"]+)">Try again</.exec(refused.html) ?? [];
  const asked = await agent.get(again!);
  t.is(asked.page, 'consent');
  t.true(asked.html.includes(grace.email), 'trying again asks who is signed in by now');
});

test.serial('a client whose scopes were narrowed refreshes into less', async (t) => {
  const p = await person();
  const client = await addClient(postern, { passwordGrant: true });
  const config = await discover(postern, client);
  const asked = { username: p.email, password: PASSWORD, scope: 'openid email' };
  const tokens = await oidc.genericGrantRequest(config, 'password', asked);
  await postern.domain.clients.update(client.id, { scopes: ['openid'] });
  const next = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
  t.is(next.scope, 'openid');
  t.is(next.claims()?.['email'], undefined);
});

test.serial('a guess on which the server failed is given back', async (t) => {
  const own = await startPostern({ env: { POSTERN_GUESSES_ACCOUNT: '1' } });
  const p = await addPerson(own);
  const config = await discover(own, await addClient(own, { passwordGrant: true }));
  const accounts = own.domain.accounts as { authenticate: typeof own.domain.accounts.authenticate };
  const real = accounts.authenticate;
  const ask = () =>
    oidc.genericGrantRequest(config, 'password', { username: p.email, password: PASSWORD, scope: 'openid' });
  accounts.authenticate = () => Promise.reject(new Error('a hashing thread ended'));
  await t.throwsAsync(ask());
  accounts.authenticate = real;
  t.is(await wordOf(ask()), 'ok');
  await own.close();
});

test.serial('the token of a removed client is not active', async (t) => {
  const uri = 'https://api.example.com';
  await postern.domain.resources.add({ uri, scopes: ['read'] });
  const service = () => addClient(postern, { type: 'service', redirectUris: [], resources: [uri] });
  const [client, api] = [await service(), await service()];
  const tokens = await oidc.clientCredentialsGrant(await discover(postern, client));
  t.true((await oidc.tokenIntrospection(await discover(postern, api), tokens.access_token)).active);
  await postern.domain.clients.remove(client.id);
  t.false((await oidc.tokenIntrospection(await discover(postern, api), tokens.access_token)).active);
});

test.serial('who asks to be remembered later is remembered', async (t) => {
  const p = await person();
  const config = await discover(postern, await addClient(postern, { firstParty: true }));
  const agent = new UserAgent(postern.issuer);
  await agent.submit(await agent.get((await request(config)).url), { email: p.email, password: PASSWORD });
  const back = await upToReturn(agent, (await request(config, { prompt: 'login' })).url, p.email, { remember: 'yes' });
  const answer = await fetch(back, { redirect: 'manual', headers: { cookie: agent.cookieHeader(back.pathname) } });
  t.true(answer.headers.getSetCookie().some((cookie) => /session=.*expires=/.test(cookie)));
});

test.serial('revoking while a refresh is under way ends what the refresh got', async (t) => {
  const p = await person();
  const config = await discover(postern, await addClient(postern, { passwordGrant: true }));
  const asked = { username: p.email, password: PASSWORD, scope: 'openid' };
  const tokens = await oidc.genericGrantRequest(config, 'password', asked);
  let next: oidc.TokenEndpointResponse | undefined;
  before(
    (change) => 'remove' in change && change.remove === 'access_tokens',
    async () => {
      next = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
    },
  );
  await oidc.tokenRevocation(config, tokens.access_token);
  t.false((await oidc.tokenIntrospection(config, next!.access_token)).active);
});

for (const hint of ['access_token', 'refresh_token'] as const)
  test.serial(
    `revoking by the ${hint} is one commit: what a refresh under way got is dead, though nothing more is done`,
    async (t) => {
      const p = await person();
      const client = await addClient(postern, { passwordGrant: true });
      const config = await discover(postern, client);
      const asked = { username: p.email, password: PASSWORD, scope: 'openid' };
      const tokens = await oidc.genericGrantRequest(config, 'password', asked);
      let next: oidc.TokenEndpointResponse | undefined;
      const removes = (change: Change) => 'remove' in change && change.remove === 'access_tokens';
      before(removes, async () => {
        next = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
        // As if the process died after the commit that comes now.
        before(removes, () => Promise.reject(new StoreUnavailable('gone')));
      });
      await t.throwsAsync(oidc.tokenRevocation(config, tokens[hint]!));
      t.false((await oidc.tokenIntrospection(config, next!.access_token)).active);
      t.false((await oidc.tokenIntrospection(config, next!.refresh_token!)).active);
      t.is(await wordOf(oidc.refreshTokenGrant(config, next!.refresh_token!)), 'invalid_grant');
      await t.throwsAsync(oidc.fetchUserInfo(config, next!.access_token, oidc.skipSubjectCheck));
    },
  );

test.serial('POST /authorize takes a repeated resource as GET does', async (t) => {
  const asked = await request(await discover(postern, await addClient(postern)));
  const two = new URLSearchParams(asked.url.searchParams);
  two.append('resource', `${postern.issuer}/api`);
  two.append('resource', 'https://x.example');
  const answer = await new UserAgent(postern.issuer).post('/authorize', two);
  t.is(answer.left?.searchParams.get('error'), 'invalid_target');
});

// The last: jose's own signer, which the others use, does not follow the clock that is moved here.
test.serial('an ID token whose key has retired still signs its session out', async (t) => {
  const own = await startPostern();
  const p = await addPerson(own);
  const bye = 'http://localhost:4999/bye';
  const config = await discover(own, await addClient(own, { firstParty: true, postLogoutRedirectUris: [bye] }));
  const agent = new UserAgent(own.issuer);
  const asked = await request(config);
  const tokens = await redeem(asked, (await signIn(agent, await agent.get(asked.url), p.email)).left!);
  await own.domain.keys.rotate();
  pass(seconds(80));
  await own.domain.keys.tick();
  pass(8 * 86_400_000);
  await own.domain.keys.tick();
  const url = oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token!, post_logout_redirect_uri: bye });
  t.is((await agent.get(url)).page, 'logout');
  await own.close();
});
