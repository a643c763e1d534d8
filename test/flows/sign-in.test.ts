import test from 'ava';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { authorize, discover, redeem, request, signIn } from '../support/client.ts';
import { addClient, addPerson, type Postern, startPostern } from '../support/postern.ts';
import { UserAgent } from '../support/user-agent.ts';

let postern: Postern;
test.before(async () => {
  postern = await startPostern();
  await addPerson(postern);
});
test.after.always(() => postern.close());

test('a person signs in, allows, and the application gets RS256 tokens that its API can check', async (t) => {
  const { tokens, config } = await authorize(postern, await addClient(postern));
  const { payload, protectedHeader } = await jwtVerify(
    tokens.access_token,
    createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri ?? '')),
    { issuer: postern.issuer, audience: `${postern.issuer}/api`, typ: 'at+jwt', algorithms: ['RS256'] },
  );
  t.is(protectedHeader.alg, 'RS256');
  t.is(payload['scope'], 'openid profile email');
  t.is(payload.exp! - payload.iat!, 15 * 60);
  t.is(tokens.claims()?.['email'], 'ada@example.com');
  t.deepEqual(tokens.claims()?.['amr'], ['pwd']);
  t.is(tokens.token_type, 'bearer');
  const refresh = tokens.refresh_token!;
  t.is(decodeProtectedHeader(refresh).typ, 'rt+jwt');
  t.is(decodeProtectedHeader(refresh).alg, 'RS256');
  t.is(decodeJwt(refresh).aud, postern.issuer);
});

test('userinfo, introspection and revocation accept the JWT access token of a person, and a revoked one stops working', async (t) => {
  const { tokens, config } = await authorize(postern, await addClient(postern));
  const { sub } = tokens.claims()!;
  t.is((await oidc.fetchUserInfo(config, tokens.access_token, sub)).name, 'Ada Lovelace');
  const before = await oidc.tokenIntrospection(config, tokens.access_token);
  t.true(before.active);
  t.is(before.aud, `${postern.issuer}/api`);
  t.is(before.sub, sub);
  t.true((await oidc.tokenIntrospection(config, tokens.refresh_token!)).active);
  await oidc.tokenRevocation(config, tokens.access_token);
  t.false((await oidc.tokenIntrospection(config, tokens.access_token)).active);
  await t.throwsAsync(oidc.fetchUserInfo(config, tokens.access_token, sub), { message: /401|unexpected|WWW/ });
});

test('consent is asked once: the second sign-in, in another browser, goes straight back', async (t) => {
  const client = await addClient(postern);
  await authorize(postern, client);
  const agent = new UserAgent(postern.issuer);
  const asked = await request(await discover(postern, client));
  const login = await agent.get(asked.url);
  t.is(login.page, 'login');
  const answer = await agent.submit(login, { email: 'ada@example.com', password: 'correct horse battery staple' });
  t.truthy(answer.left);
  t.truthy((await redeem(asked, answer.left!)).access_token);
});

test('the consent page says who asks, for what, and where the person returns to', async (t) => {
  const agent = new UserAgent(postern.issuer);
  const asked = await request(await discover(postern, await addClient(postern, { name: 'Holiday Album' })));
  const login = await agent.get(asked.url);
  const consent = await agent.submit(login, { email: 'ada@example.com', password: 'correct horse battery staple' });
  t.is(consent.page, 'consent');
  t.regex(consent.html, /Holiday Album/);
  t.regex(consent.html, /localhost:4999/);
  t.regex(consent.html, /ada@example\.com/);
});

test('an application that may see the profile alone is told the address by no other name', async (t) => {
  const client = await addClient(postern);
  const told = async (scope: string) => {
    const { config, tokens } = await authorize(postern, client, { scope });
    const { sub } = tokens.claims()!;
    const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, sub);
    const again = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
    return [tokens.claims(), userinfo, again.claims()];
  };
  for (const claims of await told('openid profile')) {
    t.is(claims?.['name'], 'Ada Lovelace');
    t.notRegex(JSON.stringify(claims), /ada@example\.com/);
  }
  for (const claims of await told('openid email')) t.is(claims?.['preferred_username'], 'ada@example.com');
});

test('who denies goes back with access_denied and the state', async (t) => {
  const agent = new UserAgent(postern.issuer);
  const asked = await request(await discover(postern, await addClient(postern)));
  const login = await agent.get(asked.url);
  const consent = await agent.submit(login, { email: 'ada@example.com', password: 'correct horse battery staple' });
  const answer = await agent.submit(consent, {}, { name: 'decision', value: 'deny' });
  t.is(answer.left?.searchParams.get('error'), 'access_denied');
  t.is(answer.left?.searchParams.get('state'), asked.state);
  t.is(answer.left?.searchParams.get('iss'), postern.issuer);
});

test('a first-party application is not asked about', async (t) => {
  const agent = new UserAgent(postern.issuer);
  const asked = await request(await discover(postern, await addClient(postern, { firstParty: true })));
  const answer = await agent.submit(await agent.get(asked.url), {
    email: 'ada@example.com',
    password: 'correct horse battery staple',
  });
  t.truthy(answer.left?.searchParams.get('code'));
});

test('… until it is not the operator’s own any more: whoever is signed in is asked, once', async (t) => {
  const client = await addClient(postern, { firstParty: true });
  const { agent, config } = await authorize(postern, client);
  await postern.domain.clients.update(client.id, { firstParty: false });
  for (const way of [{}, { ui_locales: 'en' }] as Record<string, string>[]) {
    const silently = await agent.get((await request(config, { prompt: 'none', ...way })).url);
    t.is(silently.left?.searchParams.get('error'), 'consent_required');
    t.is((await agent.get((await request(config, way)).url)).page, 'consent');
  }
  t.truthy((await signIn(agent, await agent.get((await request(config)).url))).left?.searchParams.get('code'));
  t.truthy((await agent.get((await request(config)).url)).left?.searchParams.get('code'));
});

test('one session serves every application: prompt=none succeeds for the second, and fails without a session', async (t) => {
  const { agent } = await authorize(postern, await addClient(postern));
  const second = await discover(postern, await addClient(postern, { firstParty: true }));
  const silent = await request(second, { prompt: 'none' });
  const answer = await agent.get(silent.url);
  t.truthy((await redeem(silent, answer.left!)).id_token);
  const stranger = await new UserAgent(postern.issuer).get((await request(second, { prompt: 'none' })).url);
  t.is(stranger.left?.searchParams.get('error'), 'login_required');
});

test('wrong password, unknown address and disabled account look the same', async (t) => {
  const disabled = await addPerson(postern, 'gone@example.com');
  await postern.domain.accounts.setDisabled(disabled.id, true);
  const config = await discover(postern, await addClient(postern));
  const seen = new Set<string>();
  for (const [email, password] of [
    ['ada@example.com', 'wrong password'],
    ['nobody@example.com', 'wrong password'],
    ['gone@example.com', 'correct horse battery staple'],
  ] as const) {
    const agent = new UserAgent(postern.issuer);
    const answer = await agent.submit(await agent.get((await request(config)).url), { email, password });
    t.is(answer.page, 'login');
    seen.add(
      `${answer.status} ${answer.html
        .replaceAll(email, 'EMAIL')
        .replace(/name="csrf" value="[^"]*"/, '')
        .replace(/data-options="[^"]*"/, '')
        .replace(/interaction[/=][^/"&]*/g, '')}`,
    );
  }
  t.is(seen.size, 1);
});

test('who does not want to be remembered on this device is not after a wrong password either', async (t) => {
  const config = await discover(postern, await addClient(postern));
  const agent = new UserAgent(postern.issuer);
  const first = await agent.get((await request(config)).url);
  const isTicked = (html: string) => /<input[^>]*name="remember"[^>]*\bchecked\b/.test(html);
  t.true(isTicked(first.html));
  const wrong = { email: 'ada@example.com', password: 'wrong password' };
  t.false(isTicked((await agent.submit(first, wrong)).html));
  t.true(isTicked((await agent.submit(first, { ...wrong, remember: 'yes' })).html));
});

test('prompt=login asks again and auth_time is new; max_age is honoured; login_hint is filled in', async (t) => {
  const client = await addClient(postern);
  const { agent, config } = await authorize(postern, client);
  const again = await request(config, { prompt: 'login', login_hint: 'ada@example.com' });
  const page = await agent.get(again.url);
  t.is(page.page, 'login');
  t.regex(page.html, /value="ada@example\.com"/);
  const tokens = await redeem(again, (await signIn(agent, page)).left!);
  t.truthy(tokens.claims()?.auth_time);
  t.is((await agent.get((await request(config, { max_age: '0' })).url)).page, 'login');
  t.truthy((await agent.get((await request(config, { max_age: '1000' })).url)).left);
});

test('prompt=select_account asks who it is, whoever is signed in, and takes somebody else', async (t) => {
  await addPerson(postern, 'mary@example.com', 'Mary Shelley');
  const { agent, config } = await authorize(postern, await addClient(postern, { firstParty: true }));
  const asked = await request(config, { prompt: 'select_account' });
  const page = await agent.get(asked.url);
  t.is(page.page, 'choose');
  const login = await agent.submit(page, { person: '' });
  t.is(login.page, 'login');
  t.notRegex(login.html, /ada@example\.com/);
  const answer = await signIn(agent, login, 'mary@example.com');
  t.is((await redeem(asked, answer.left!)).claims()?.['name'], 'Mary Shelley');
  const stranger = new UserAgent(postern.issuer);
  const first = await request(config, { prompt: 'select_account' });
  t.truthy((await signIn(stranger, await stranger.get(first.url))).left?.searchParams.get('code'));
});

test('ui_locales decides the language of every page of the request, before what the browser asks for', async (t) => {
  const config = await discover(postern, await addClient(postern));
  const agent = new UserAgent(postern.issuer, { 'accept-language': 'en' });
  const login = await agent.get((await request(config, { ui_locales: 'fr-CA de-AT en' })).url);
  t.regex(login.html, /<html lang="de"/);
  t.is(login.headers.get('content-language'), 'de');
  const consent = await agent.submit(login, { email: 'ada@example.com', password: 'correct horse battery staple' });
  t.is(consent.page, 'consent');
  t.regex(consent.html, /<html lang="de"/);
  t.regex((await agent.get((await request(config, { prompt: 'login' })).url)).html, /<html lang="en"/);

  t.truthy((await agent.submit(consent, {}, { name: 'decision', value: 'allow' })).left);
  const leaving = oidc.buildEndSessionUrl(config, { ui_locales: 'de' });
  const question = await agent.get(leaving);
  // The one who signs out, and whoever comes after.
  for (const last of [await agent.submit(question, {}, { name: 'logout', value: 'yes' }), await agent.get(leaving)]) {
    t.is(last.page, 'signed-out');
    t.regex(last.html, /<html lang="de"/);
  }
});

test('signing out ends the session after a question, and goes back to a registered address only', async (t) => {
  const client = await addClient(postern, { postLogoutRedirectUris: ['http://localhost:4999/bye'] });
  const { agent, config, tokens } = await authorize(postern, client);
  const away = oidc.buildEndSessionUrl(config, {
    post_logout_redirect_uri: 'http://evil.example/',
    id_token_hint: tokens.id_token!,
  });
  t.is((await agent.get(away)).page, 'error');
  const url = oidc.buildEndSessionUrl(config, {
    post_logout_redirect_uri: 'http://localhost:4999/bye',
    id_token_hint: tokens.id_token!,
    state: 's',
  });
  const confirm = await agent.get(url);
  t.is(confirm.page, 'logout');
  const answer = await agent.submit(confirm, {}, { name: 'logout', value: 'yes' });
  t.is(answer.left?.href, 'http://localhost:4999/bye?state=s');
  t.is((await agent.get((await request(config)).url)).page, 'login');
  await t.throwsAsync(oidc.refreshTokenGrant(config, tokens.refresh_token!));
});

test('where it went back to is no address of the application any more, or it is gone: the page says that it is done', async (t) => {
  const bye = 'http://localhost:4999/bye';
  const { clients } = postern.domain;
  for (const end of [clients.remove, (id: string) => clients.update(id, { postLogoutRedirectUris: [] })])
    for (const to of [bye, undefined])
      for (const everywhere of [true, false]) {
        const client = await addClient(postern, { postLogoutRedirectUris: [bye] });
        const { agent, config } = await authorize(postern, client);
        const away = oidc.buildEndSessionUrl(config, to === undefined ? {} : { post_logout_redirect_uri: to });
        const question = await agent.get(away);
        await end(client.id);
        const last = await agent.submit(question, {}, everywhere ? { name: 'logout', value: 'yes' } : undefined);
        t.is(last.page, 'signed-out');
        t.is((await agent.get('/account')).page, everywhere ? 'login' : 'account');
      }
});

test('several tabs at once: each finishes its own request', async (t) => {
  const agent = new UserAgent(postern.issuer);
  const requests = await Promise.all(
    [1, 2, 3].map(async () => request(await discover(postern, await addClient(postern)))),
  );
  const pages = await Promise.all(requests.map(({ url }) => agent.get(url)));
  for (const [i, asked] of requests.entries()) {
    const answer = await signIn(agent, pages[i]!);
    const left = answer.left ?? (await signIn(agent, await agent.get(asked.url))).left;
    t.truthy((await redeem(asked, left!)).access_token);
  }
});

test('two tabs of one session that authorize two clients at the same moment can both redeem their codes', async (t) => {
  const { agent } = await authorize(postern, await addClient(postern));
  for (let round = 0; round < 10; round++) {
    const requests = await Promise.all(
      [1, 2, 3, 4].map(async () => request(await discover(postern, await addClient(postern, { firstParty: true })))),
    );
    const answers = await Promise.all(requests.map(({ url }) => agent.get(url)));
    for (const [i, asked] of requests.entries()) t.truthy((await redeem(asked, answers[i]!.left!)).access_token);
  }
});

test('a person signs in as somebody else on the same browser, without JavaScript', async (t) => {
  await addPerson(postern, 'grace@example.com', 'Grace Hopper');
  const client = await addClient(postern);
  const { agent, config } = await authorize(postern, client);
  const asked = await request(config, { prompt: 'consent' });
  const consent = await agent.get(asked.url);
  t.is(consent.page, 'consent');
  const login = await agent.submit(consent, {}, { name: 'decision', value: 'switch' });
  t.is(login.page, 'login');
  const tokens = await redeem(asked, (await signIn(agent, login, 'grace@example.com')).left!);
  t.is(tokens.claims()?.['email'], 'grace@example.com');
});

test('who signs in for two APIs gets a token for the first, or the one that is named; not for both at once', async (t) => {
  const [notes, maps] = ['https://notes.example.com', 'https://maps.example.com'] as const;
  for (const uri of [notes, maps]) await postern.domain.resources.add({ uri, scopes: [`${uri.slice(8, 12)}.read`] });
  const client = await addClient(postern, { resources: [notes, maps], firstParty: true });
  const config = await discover(postern, client);
  const agent = new UserAgent(postern.issuer);
  const begin = async () => {
    const asked = await request(config, { scope: 'openid', resource: notes });
    asked.url.searchParams.append('resource', maps);
    return { asked, left: (await signIn(agent, await agent.get(asked.url))).left! };
  };
  const naming = (...resources: string[]) =>
    new URLSearchParams(resources.map((uri) => ['resource', uri] as [string, string]));
  const redeemFor = async (...resources: string[]) => {
    const { asked, left } = await begin();
    const tokens = await redeem(asked, left, naming(...resources));
    return { tokens, audience: decodeJwt(tokens.access_token).aud };
  };
  t.is((await redeemFor()).audience, notes);
  t.is((await redeemFor(maps)).audience, maps);
  const { tokens, audience } = await redeemFor(maps, maps);
  t.is(audience, maps);
  const refresh = oidc.refreshTokenGrant(config, tokens.refresh_token!, naming(notes, maps));
  for (const refused of [redeemFor(maps, notes), refresh])
    t.is((await t.throwsAsync<oidc.ResponseBodyError>(refused))?.error, 'invalid_target');
});

test('what the operator takes from an application while somebody signs in ends with the error of a new request', async (t) => {
  const api = 'https://files.example.com/taken';
  await postern.domain.resources.add({ uri: api, scopes: ['files.read'] });
  const gone = { resources: [] };
  const moved = { redirectUris: ['https://prints.example.com/callback'] };
  for (const [taken, atConsent] of [
    [gone, false],
    [gone, true],
    [moved, false],
    [moved, true],
  ] as const) {
    const client = await addClient(postern, { resources: [api] });
    const agent = new UserAgent(postern.issuer);
    const asked = await request(await discover(postern, client), { resource: api, scope: 'openid files.read' });
    const password = { email: 'ada@example.com', password: 'correct horse battery staple' };
    let page = await agent.get(asked.url);
    if (atConsent) page = await agent.submit(page, password);
    await postern.domain.clients.update(client.id, taken);
    const answer = await agent.submit(page, atConsent ? {} : password, { name: 'decision', value: 'allow' });
    if (taken === gone) t.is(answer.left?.searchParams.get('error'), 'invalid_target');
    else t.like(answer, { page: 'error', status: 400, left: undefined });
  }
});
