import test, { type ExecutionContext } from 'ava';
import { discover, redeem, request } from '../support/client.ts';
import { CLIENT_ID, type OpenIdStub, startOpenIdStub } from '../support/openid-stub.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { OUTBOUND, press } from '../support/upstreams.ts';
import { type Answer, UserAgent } from '../support/user-agent.ts';

let here: Postern;
test.before(async () => {
  here = await startPostern({ env: OUTBOUND });
});
test.after.always(() => here.close());

let count = 0;

interface Scene extends AsyncDisposable {
  readonly stub: OpenIdStub;
  readonly upstream: string;
  readonly server: Postern;
  /** A browser at the sign-in page of an application's request. */
  begin(): Promise<{ agent: UserAgent; asked: Awaited<ReturnType<typeof request>>; page: Answer }>;
  /** Presses the button, and gives what was sent along and the address the provider would send the browser back to. */
  leave(): Promise<Awaited<ReturnType<Scene['begin']>> & { sent: URLSearchParams; back: URL }>;
}

/** A provider that says what a test wants it to say, offered by a server. */
async function scene({ server = here, trustsEmail = true } = {}): Promise<Scene> {
  const stub = await startOpenIdStub();
  const upstream = `stub${count++}`;
  await server.domain.upstreams.add({
    id: upstream,
    name: 'Riverside',
    kind: 'oidc',
    issuer: stub.issuer,
    clientId: CLIENT_ID,
    clientSecret: 'a secret',
    scopes: ['openid', 'email'],
    trustsEmail,
    signsUp: true,
  });
  const begin: Scene['begin'] = async () => {
    const agent = new UserAgent(server.issuer);
    const asked = await request(await discover(server, await addClient(server, { firstParty: true })));
    return { agent, asked, page: await agent.get(asked.url) };
  };
  return {
    stub,
    upstream,
    server,
    begin,
    async leave() {
      const begun = await begin();
      const { left } = await press(begun.agent, begun.page, upstream);
      const sent = left!.searchParams;
      const back = new URL(sent.get('redirect_uri')!);
      back.search = `${new URLSearchParams({ code: 'c', state: sent.get('state')! })}`;
      stub.says({
        nonce: sent.get('nonce'),
        sub: `person of ${upstream}`,
        email: `${upstream}@example.com`,
        email_verified: true,
      });
      return { ...begun, sent, back };
    },
    async [Symbol.asyncDispose]() {
      if (await server.domain.upstreams.get(upstream)) await server.domain.upstreams.remove(upstream);
      await stub[Symbol.asyncDispose]();
    },
  };
}

/** What a person is told, and that every way in is still there. */
function told(t: ExecutionContext, answer: Answer, words: RegExp): void {
  t.is(answer.page, 'login');
  t.regex(answer.html, new RegExp(`role="alert"[\\s\\S]*${words.source}`));
  t.regex(answer.html, /name="password"/);
}

test('an answer counts in the browser that left for it, and in no other', async (t) => {
  await using there = await scene();
  const { agent, sent, back } = await there.leave();
  const [elsewhere, another] = [await there.begin(), await there.leave()];
  for (const other of [new UserAgent(here.issuer), elsewhere.agent, another.agent]) {
    const answer = await other.get(back);
    t.is(answer.status, 400);
    t.is(answer.page, 'error');
  }
  t.is(there.stub.asked['/token'], undefined, 'the code was shown to nobody');
  for (const name of ['state', 'nonce', 'code_challenge']) t.not(sent.get(name), another.sent.get(name));
  there.stub.says({ nonce: sent.get('nonce'), email: `${there.upstream}@example.com`, email_verified: true });
  t.truthy((await agent.get(back)).left, 'and there it still does');
});

test('who came back from an upstream did so in their own browser: nobody else whom it is planted on is them, or is linked to them', async (t) => {
  await using known = await scene();
  const { agent: planter, back } = await known.leave();
  planter.stopsBefore = '/interaction/';
  const { left: there } = await planter.get(back);
  const signedIn = await planter.planted().get(there!);
  t.is(signedIn.page, 'login', 'as somebody who has an account, or gets one');
  planter.stopsBefore = undefined;
  t.truthy((await planter.get(there!)).left, 'whose it is goes on');

  await using unknown = await scene({ trustsEmail: false });
  const other = await unknown.leave();
  const { url } = await other.agent.get(other.back);
  const agent = other.agent.planted();
  const login = await agent.get(url);
  t.notRegex(login.html, /You came back from/);
  const { email } = await addPerson(here, 'planted-on@example.com');
  t.truthy((await agent.submit(login, { email, password: PASSWORD })).left, 'nobody asks whether both are theirs');
});

test('a state that is made up, missing, doubled, of another upstream or used belongs to no sign-in', async (t) => {
  await using there = await scene();
  await using other = await scene();
  const { agent, back } = await there.leave();
  const state = back.searchParams.get('state')!;
  const answers = {
    missing: '?code=c',
    'made up': `?code=c&state=${'A'.repeat(86)}`,
    'half of it': `?code=c&state=${state.slice(0, 43)}${'A'.repeat(43)}`,
    doubled: `?code=c&state=${state}&state=${state}`,
    endless: `?code=c&state=${state}${'A'.repeat(2000)}`,
  };
  for (const [what, query] of Object.entries(answers)) t.is((await agent.get(new URL(query, back))).status, 400, what);
  t.is((await agent.get(back.href.replace(there.upstream, other.upstream))).status, 400, 'of another upstream');
  t.is((await agent.get(back.href.replace(there.upstream, 'nowhere'))).status, 400, 'of none');
  t.truthy((await agent.get(back)).left);
  t.is((await agent.get(back)).status, 400, 'used');
});

test('of twenty that bring one answer at once, one code is redeemed and one person is made', async (t) => {
  await using there = await scene();
  const { agent, asked, back } = await there.leave();
  const answers = await Promise.all(Array.from({ length: 20 }, () => agent.get(back)));
  t.is(there.stub.asked['/token'], 1);
  t.deepEqual(
    answers.filter(({ status }) => status >= 500),
    [],
  );
  const person = await here.domain.accounts.byEmail(`${there.upstream}@example.com`);
  t.is((await here.domain.identities.listForAccount(person!.id)).length, 1);
  const lefts = answers.flatMap(({ left }) => (left?.searchParams.has('code') ? [left] : []));
  t.is((await Promise.any(lefts.map((left) => redeem(asked, left)))).claims()?.sub, person!.id);
});

test('a person who said no there, or whom it would not let in, reads so and may try another way', async (t) => {
  await using there = await scene();
  const { agent, sent, back } = await there.leave();
  back.search = `${new URLSearchParams({ error: 'access_denied', state: sent.get('state')! })}`;
  told(t, await agent.get(back), /Riverside[\s\S]*did not sign you in/);
});

test('an upstream that was removed while somebody was there, or before they pressed its button, is told like one that failed', async (t) => {
  await using there = await scene();
  const { agent, back } = await there.leave();
  const other = await there.begin();
  await here.domain.upstreams.remove(there.upstream);
  const words = /no longer/;
  const answer = await agent.get(back);
  told(t, answer, words);
  const refusal = await here.domain.refusals.get(/err_[\w-]+/.exec(answer.html)?.[0] ?? '');
  t.like(refusal, { error: 'upstream_removed', asked: { upstream: there.upstream } });
  told(t, await press(other.agent, other.page, there.upstream), words);
});

test('who came back from one upstream is nobody of another that was given its id meanwhile', async (t) => {
  await using there = await scene();
  const { agent, back } = await there.leave();
  agent.stopsBefore = '/interaction/';
  const { left: arriving } = await agent.get(back);
  agent.stopsBefore = undefined;
  const { upstreams, identities } = here.domain;
  await upstreams.remove(there.upstream);
  const upstream = await upstreams.add({
    id: there.upstream,
    name: 'Lakeside',
    kind: 'oidc',
    issuer: 'https://lakeside.example',
    clientId: CLIENT_ID,
    scopes: ['openid'],
  });
  const owner = await addPerson(here, 'lakeside@example.com');
  await identities.link(owner.id, { upstream, subject: `person of ${there.upstream}` });
  const answer = await agent.get(arriving!);
  t.is(answer.page, 'login');
  t.notRegex(answer.html, /You came back from/);
});

test('whatever is wrong with an upstream’s answer, the person reads that, and the operator the rule', async (t) => {
  await using there = await scene();
  const wrong: Record<string, () => void> = {
    'the nonce of another sign-in': () => there.stub.says({ nonce: 'another', sub: 'x' }),
    'no nonce': () => there.stub.says({ sub: 'x' }),
    'another issuer': () => there.stub.says({ iss: 'https://accounts.google.com' }),
  };
  for (const [what, lie] of Object.entries(wrong)) {
    const { agent, back } = await there.leave();
    lie();
    const answer = await agent.get(back);
    told(t, answer, /cannot be trusted/);
    const refusal = await here.domain.refusals.get(/err_[\w-]+/.exec(answer.html)?.[0] ?? '');
    t.is(refusal?.error, 'upstream_untrusted', what);
    t.truthy(refusal?.rule);
    t.false(answer.html.includes(refusal!.rule), 'the page does not repeat the upstream');
  }
});

test('an upstream that refuses us is not said to lie, and the operator reads what it answered', async (t) => {
  await using there = await scene();
  const wrongSecret = { error: 'invalid_client', error_description: 'client authentication failed' };
  const basic = 'Basic realm="Riverside"';
  const bearer = 'Bearer error="insufficient_scope", error_description="ask for more"';
  const answers: readonly (readonly [status: number, body: string, rule: string, challenge?: string])[] = [
    [400, JSON.stringify(wrongSecret), '400 "invalid_client": "client authentication failed"'],
    [401, JSON.stringify(wrongSecret), '401 "invalid_client": "client authentication failed"', basic],
    [401, '<h1>Unauthorized</h1>', '401 (nothing): (nothing)', basic],
    [401, '', '401 "insufficient_scope": "ask for more"', bearer],
    [400, '{"error":"invalid_client","error_description":5}', '400 "invalid_client": (nothing)'],
    [400, '{"error":"invalid_client","error_description":{"a":[]}}', '400 "invalid_client": (nothing)'],
  ];
  for (const [status, body, rule, challenge] of answers) {
    const { agent, back } = await there.leave();
    there.stub.answers['/token'] = (_request, response) =>
      void response
        .writeHead(status, {
          'content-type': 'application/json',
          ...(challenge && { 'www-authenticate': challenge }),
        })
        .end(body);
    const answer = await agent.get(back);
    told(t, answer, /cannot be reached/);
    const refusal = await here.domain.refusals.get(/err_[\w-]+/.exec(answer.html)?.[0] ?? '');
    t.like(refusal, { error: 'upstream_unavailable', rule: `it answered ${rule}` });
  }
});

test('an upstream that is down, answers nonsense or is another says no more than that it cannot be reached', async (t) => {
  await using there = await scene();
  const document = there.stub.answers['/.well-known/openid-configuration']!;
  const broken: Record<string, OpenIdStub['answers'][string]> = {
    'a server error': (_request, response) => void response.writeHead(500).end('<h1>oops</h1>'),
    nonsense: (_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{{'),
    'another issuer': () => ({ ...(document as () => object)(), issuer: 'https://accounts.google.com' }),
    'a redirect': (_request, response) => void response.writeHead(302, { location: `${here.issuer}/` }).end(),
    'the line cut': (request) => void request.socket.destroy(),
  };
  for (const [what, breaks] of Object.entries(broken)) {
    there.stub.answers['/.well-known/openid-configuration'] = breaks;
    const { agent, page } = await there.begin();
    const answer = await press(agent, page, there.upstream);
    t.is(answer.page, 'login', what);
    t.regex(answer.html, /role="alert"/, what);
    t.regex(answer.html, /name="password"/, what);
  }
  there.stub.answers['/.well-known/openid-configuration'] = document;
  const { agent, asked, back } = await there.leave();
  t.truthy(await redeem(asked, (await agent.get(back)).left!), 'and it is asked again at once when it is back');
});

test('while one upstream keeps everybody waiting, others and passwords sign people in', async (t) => {
  const server = await startPostern({ env: { ...OUTBOUND, POSTERN_OUTBOUND_TIMEOUT: '20s' } });
  t.teardown(() => server.close());
  await using slow = await scene({ server });
  await using quick = await scene({ server });
  const held = Promise.withResolvers<void>();
  const document = slow.stub.answers['/.well-known/openid-configuration']!;
  let waiting = 0;
  slow.stub.answers['/.well-known/openid-configuration'] = async (...all) => {
    waiting++;
    await held.promise;
    return document(...all);
  };
  const people = await Promise.all(Array.from({ length: 10 }, () => slow.begin()));
  const pressed = people.map(({ agent, page }) => press(agent, page, slow.upstream));
  await addPerson(server, 'ada@example.com');
  const { agent, page } = await quick.begin();
  t.truthy((await agent.submit(page, { email: 'ada@example.com', password: PASSWORD })).left);
  const other = await quick.leave();
  t.truthy((await other.agent.get(other.back)).left);
  held.resolve();
  for (const answer of await Promise.all(pressed)) t.is(answer.left?.origin, slow.stub.issuer);
  t.is(waiting, 1, 'and it was asked once for all of them');
});

test('an upstream in a private network is not asked unless outbound.allow names it', async (t) => {
  const server = await startPostern();
  t.teardown(() => server.close());
  await using there = await scene({ server });
  const { agent, page } = await there.begin();
  told(t, await press(agent, page, there.upstream), /cannot be reached/);
  t.deepEqual(there.stub.asked, {});
});

test('nobody is sent to an upstream by another site, or without the form', async (t) => {
  await using there = await scene();
  const { agent, page } = await there.begin();
  const action = /formaction="([^"]*upstream)"/.exec(page.html)![1]!;
  const bare = await agent.post(action, new URLSearchParams({ upstream: there.upstream }));
  t.is(bare.status, 403);
  const foreign = new UserAgent(here.issuer, { 'sec-fetch-site': 'cross-site' });
  for (const [key, cookie] of agent.cookies) foreign.cookies.set(key, cookie);
  t.is((await press(foreign, page, there.upstream)).status, 403);
});

test('an address the upstream has not verified, or is not trusted for, makes no account', async (t) => {
  await using trusted = await scene();
  await using doubted = await scene({ trustsEmail: false });
  for (const [there, email_verified] of [
    [trusted, false],
    [trusted, undefined],
    [doubted, true],
  ] as const) {
    const { agent, sent, back } = await there.leave();
    const email = `${count++}@unproven.example`;
    there.stub.says({ nonce: sent.get('nonce'), sub: email, email, email_verified });
    t.is((await agent.get(back)).page, 'login');
    t.is(await here.domain.accounts.byEmail(email), undefined);
  }
});

test('one subject at two upstreams is two people', async (t) => {
  await using first = await scene();
  await using second = await scene();
  const subs = [];
  for (const [there, email] of [
    [first, 'one@twins.example'],
    [second, 'two@twins.example'],
  ] as const) {
    const { agent, asked, sent, back } = await there.leave();
    there.stub.says({ nonce: sent.get('nonce'), sub: '1', email, email_verified: true });
    subs.push((await redeem(asked, (await agent.get(back)).left!)).claims()?.sub);
  }
  t.is(new Set(subs).size, 2);
});

test('wrong passwords count in the same place whether somebody came back from an upstream or not', async (t) => {
  const server = await startPostern({ env: { ...OUTBOUND, POSTERN_GUESSES_ACCOUNT: '3' } });
  t.teardown(() => server.close());
  await using there = await scene({ server, trustsEmail: false });
  await addPerson(server, 'ada@example.com');
  const statuses = [];
  for (let guess = 0; guess < 5; guess++) {
    const { agent, back } = await there.leave();
    const login = await agent.get(back);
    t.regex(login.html, /You came back from/);
    statuses.push((await agent.submit(login, { email: 'ada@example.com', password: `guess ${guess}` })).status);
  }
  t.is(statuses.at(-1), 429);
});
