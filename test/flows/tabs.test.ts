import test from 'ava';
import * as oidc from 'openid-client';
import { hours, minutes } from '../../src/lib/index.ts';
import { authorize, discover, redeem, request, signIn } from '../support/client.ts';
import { pass } from '../support/clock.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { type Answer, UserAgent } from '../support/user-agent.ts';

/** What people do with a browser: several tabs, the back button, a second click, a page left open. */
let postern: Postern;
test.before(async () => {
  postern = await startPostern();
  await addPerson(postern);
});
test.after.always(() => postern.close());

let count = 0;
const person = (name?: string) => addPerson(postern, `p${++count}@example.com`, name);
const ALLOW = { name: 'decision', value: 'allow' };
const SIGN_OUT = { name: 'logout', value: 'yes' };
const AFTER = 'http://localhost:4999/after';
const library = () => addClient(postern, { name: 'Riverside Library', postLogoutRedirectUris: [AFTER] });

/** A request of an application nobody allowed anything yet. */
const fresh = async (parameters: Record<string, string> = {}) =>
  request(await discover(postern, await addClient(postern)), parameters);

/** A browser in which somebody is signed in. */
async function signedIn(email: string) {
  const agent = new UserAgent(postern.issuer);
  await authorize(postern, await addClient(postern, { firstParty: true }), {}, agent, email);
  return agent;
}

/** The same browser a moment ago: it has not read yet what another tab is answered. */
function asOfNow(agent: UserAgent): UserAgent {
  const before = new UserAgent(postern.issuer);
  for (const [name, cookie] of agent.cookies) before.cookies.set(name, cookie);
  return before;
}

/** Reads the answers of both. */
function reads(late: UserAgent, agent: UserAgent): void {
  for (const [name, cookie] of agent.cookies) late.cookies.set(name, cookie);
}

const leaving = async (client: { id: string; secret?: string | undefined }, more: Record<string, string> = {}) =>
  oidc.buildEndSessionUrl(await discover(postern, client), { client_id: client.id, ...more }).href;

const pageOf = ({ page, status }: Answer) => [page, status];

test.serial(
  'however long a request is, the headers that begin its sign-in fit into the 4 KB that nginx takes',
  async (t) => {
    // What https adds: `Secure`, `__Host-` and Strict-Transport-Security.
    const MORE = 250;
    const kept = new Set<boolean>();
    for (let length = 0; length < 4000; length += 200) {
      const { url } = await fresh({ state: 's'.repeat(length) });
      const { status, headers } = await fetch(url, { redirect: 'manual' });
      t.is(status, 303);
      const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`);
      t.true(lines.join('').length + MORE < 4096, `${length}: ${lines.join('').length}`);
      kept.add(headers.getSetCookie().some((cookie) => cookie.startsWith('postern.request=')));
    }
    t.is(kept.size, 2, 'the shorter ones are kept');
  },
);

test.serial('a form of one tab that is read after another tab’s answer goes on', async (t) => {
  const p = await person();
  const agent = await signedIn(p.email);
  const [one, two] = [await fresh(), await fresh()];
  const [first, second] = [await agent.get(one.url), await agent.get(two.url)];
  const late = asOfNow(agent);
  t.truthy((await redeem(one, (await agent.submit(first, {}, ALLOW)).left!)).access_token);
  setTimeout(() => reads(late, agent), 100);
  t.truthy((await redeem(two, (await late.submit(second, {}, ALLOW)).left!)).access_token);
});

test.serial(
  'an application opened from one tab while the other is being answered is not asked to sign in',
  async (t) => {
    const p = await person();
    const agent = await signedIn(p.email);
    const consent = await agent.get((await fresh()).url);
    const late = asOfNow(agent);
    t.truthy((await agent.submit(consent, {}, ALLOW)).left);
    setTimeout(() => reads(late, agent), 100);
    t.is((await late.get((await fresh()).url)).page, 'consent');
    t.deepEqual(late.cookies.get('postern.session /'), agent.cookies.get('postern.session /'));
  },
);

test.serial('whoever has only the old name of a session is nobody, however often they ask', async (t) => {
  const p = await person();
  const agent = await signedIn(p.email);
  const [consent, other] = [await agent.get((await fresh()).url), await agent.get((await fresh()).url)];
  const [one, two] = [asOfNow(agent), asOfNow(agent)];
  t.truthy((await agent.submit(consent, {}, ALLOW)).left);
  t.deepEqual(pageOf(await one.submit(other, {}, ALLOW)), ['login', 200]);
  t.deepEqual(pageOf(await two.get((await fresh()).url)), ['login', 200]);
  t.deepEqual(pageOf(await agent.get((await fresh()).url)), ['consent', 200]);
});

test.serial(
  'signed out in one tab, the consent page of the other leads to signing in and to its application',
  async (t) => {
    const p = await person();
    const agent = await signedIn(p.email);
    const asked = await fresh();
    const consent = await agent.get(asked.url);
    await agent.submit(await agent.get('/logout'), {}, SIGN_OUT);
    const login = await agent.submit(consent, {}, ALLOW);
    t.deepEqual(pageOf(login), ['login', 200]);
    const { left } = await signIn(agent, login, p.email);
    t.is((await redeem(asked, left!)).claims()?.sub, p.id);
  },
);

test.serial(
  'a page for one person is not answered for another who signed in in the other tab: they are asked who they are',
  async (t) => {
    const [ada, grace] = [await person(), await person('Grace')];
    const client = await addClient(postern);
    const agent = await signedIn(ada.email);
    // Grace has allowed this application already, and would not be asked.
    await authorize(postern, client, {}, new UserAgent(postern.issuer), grace.email);
    const asked = await request(await discover(postern, client));
    const consent = await agent.get(asked.url);
    t.is(consent.page, 'consent');
    const other = await agent.get((await fresh({ prompt: 'login' })).url);
    t.truthy((await signIn(agent, other, grace.email)).left);
    for (const answer of [await agent.submit(consent, {}, ALLOW), await agent.get(consent.url)]) {
      t.deepEqual(pageOf(answer), ['choose', 200]);
      t.regex(answer.html, new RegExp(grace.email));
    }
    t.is(await postern.domain.consents.find(ada.id, client.id), undefined);
    const chosen = await agent.press(await agent.submit(consent, {}, ALLOW), 'Grace');
    t.is((await redeem(asked, chosen.left!)).claims()?.sub, grace.id);
  },
);

test.serial('a password typed for one person does not let another in who signed in meanwhile', async (t) => {
  const [ada, grace] = [await person(), await person('Grace')];
  const asked = await request(await discover(postern, await addClient(postern, { firstParty: true })));
  const agent = new UserAgent(postern.issuer);
  const login = await agent.get(asked.url);
  pass(hours(2));
  await authorize(postern, await addClient(postern, { firstParty: true }), {}, agent, grace.email);
  t.is((await agent.submit(login, { email: ada.email, password: PASSWORD })).page, 'choose');
});

test.serial('a sign-in page left open overnight goes on in the morning, by its form and by reloading it', async (t) => {
  const p = await person();
  const asked = await fresh();
  const agent = new UserAgent(postern.issuer);
  const evening = await agent.get(asked.url);
  pass(hours(12));
  t.deepEqual(pageOf(await agent.get(evening.url)), ['login', 200]);
  const morning = await agent.submit(evening, { email: p.email, password: PASSWORD });
  t.deepEqual(pageOf(morning), ['login', 200]);
  t.is((await redeem(asked, (await signIn(agent, morning, p.email)).left!)).claims()?.sub, p.id);
  pass(hours(25));
  t.deepEqual(pageOf(await agent.get(evening.url)), ['error', 400]);
});

test.serial('the second of two clicks gets what the first did not wait for', async (t) => {
  const p = await person();
  const agent = new UserAgent(postern.issuer);
  const asked = await fresh();
  const consent = await agent.submit(await agent.get(asked.url), { email: p.email, password: PASSWORD });
  t.truthy((await agent.submit(consent, {}, ALLOW)).left?.searchParams.get('code'));
  t.truthy((await redeem(asked, (await agent.submit(consent, {}, ALLOW)).left!)).access_token);
});

test.serial('back on a page that was answered: it says so, and leads on to its application', async (t) => {
  const p = await person();
  const agent = new UserAgent(postern.issuer);
  const asked = await fresh({ ui_locales: 'de' });
  const login = await agent.get(asked.url);
  const consent = await agent.submit(login, { email: p.email, password: PASSWORD });
  t.truthy((await agent.submit(consent, {}, ALLOW)).left);
  for (const page of [login, consent]) t.deepEqual(pageOf(await agent.get(page.url)), ['answered', 200]);
  pass(minutes(1));
  const late = await agent.submit(consent, {}, ALLOW);
  t.deepEqual(pageOf(late), ['answered', 200]);
  t.regex(late.html, /lang="de"/);
  const [, again = ''] = /<a class="plain" href="([^"]*)"/.exec(late.html) ?? [];
  t.truthy((await redeem(asked, (await agent.get(again)).left!)).access_token);
});

test.serial('a request that was pushed is led on like any other, and what it says is in no URL', async (t) => {
  const [ada, grace] = [await person(), await person('Grace')];
  const asked = await fresh({
    login_hint: ada.email,
    ui_locales: 'de',
    resource: `${postern.issuer}/api`,
    max_age: '600',
  });
  const agent = new UserAgent(postern.issuer);
  const { config, url } = asked;
  const evening = await agent.get(
    await oidc.buildAuthorizationUrlWithPAR(config, Object.fromEntries(url.searchParams)),
  );
  pass(hours(12));
  // By its form, twice, and by reloading it.
  t.deepEqual(pageOf(await agent.submit(evening, { email: ada.email, password: PASSWORD })), ['login', 200]);
  t.deepEqual(pageOf(await agent.get(evening.url)), ['login', 200]);
  const login = await agent.submit(evening, { email: ada.email, password: PASSWORD });
  t.regex(login.html, new RegExp(`lang="de"[\\s\\S]*value="${ada.email}"`));
  const consent = await agent.submit(login, { email: ada.email, password: PASSWORD });
  const { left } = await agent.submit(consent, {}, ALLOW);
  t.is(left?.searchParams.get('state'), asked.state);
  t.is((await redeem(asked, left!)).claims()?.sub, ada.id);
  pass(minutes(1));
  const over = await agent.submit(consent, {}, ALLOW);
  t.deepEqual(pageOf(over), ['answered', 200]);
  // Somebody else, who is asked who they are: the parameter prompt is ours then.
  const other = await agent.get((await fresh({ prompt: 'login' })).url);
  t.truthy((await signIn(agent, other, grace.email)).left);
  const choose = await agent.get(`${consent.url}/again`);
  t.is(choose.page, 'choose');
  const back = await signIn(agent, await agent.press(choose, 'Grace'), grace.email);
  t.is((await redeem(asked, back.left!)).claims()?.sub, grace.id);

  const pushed = agent.visited.filter((at) => at.includes('request_uri='));
  t.is(new Set(pushed).size, 5, 'each is good once');
  for (const at of pushed) t.deepEqual([...new URL(at).searchParams.keys()].sort(), ['client_id', 'request_uri']);
  for (const said of [asked.state, asked.nonce, encodeURIComponent(ada.email)])
    t.deepEqual(
      agent.visited.filter((at) => at.includes(said)),
      [],
    );
});

test.serial('a pushed request for one DPoP key is still for that key when it is asked again', async (t) => {
  const p = await person();
  const jkt = 'x'.repeat(43);
  const asked = await fresh({ dpop_jkt: jkt });
  const agent = new UserAgent(postern.issuer);
  const pushed = await oidc.buildAuthorizationUrlWithPAR(asked.config, Object.fromEntries(asked.url.searchParams));
  const evening = await agent.get(pushed);
  pass(hours(12));
  const { left } = await signIn(agent, await agent.get(evening.url), p.email);
  t.truthy(left?.searchParams.get('code'));
  t.is((await t.throwsAsync<oidc.ResponseBodyError>(redeem(asked, left!)))?.error, 'invalid_grant');
});

test.serial(
  'an interaction is led on by the browser that began it alone, and one without cookies is told so',
  async (t) => {
    const agent = new UserAgent(postern.issuer);
    const login = await agent.get((await fresh()).url);
    const blocking = await new UserAgent(postern.issuer).get(login.url);
    t.deepEqual(pageOf(blocking), ['error', 400]);
    t.regex(blocking.html, /does not keep cookies/);
    // Another interaction's request, under this one's path.
    const thief = new UserAgent(postern.issuer);
    const own = await thief.get((await fresh()).url);
    const at = new URL(own.url).pathname;
    thief.cookies.set('postern.request /', thief.cookies.get(`postern.request ${at}`)!);
    t.deepEqual(pageOf(await thief.get(login.url)), ['error', 400]);
    t.deepEqual(pageOf(await thief.get(`${login.url}/again`)), ['error', 400]);
  },
);

test.serial('the slower of two sign-outs is answered as the faster one', async (t) => {
  const p = await person();
  const [here, there] = [await library(), await library()];
  const agent = await signedIn(p.email);
  const state = { post_logout_redirect_uri: AFTER, state: 'x y' };
  const pages = [
    await agent.get(await leaving(here, state)),
    await agent.get(await leaving(there)),
    await agent.get('/logout'),
  ];
  t.deepEqual(
    pages.map(pageOf),
    pages.map(() => ['logout', 200]),
  );
  const [one, two, three] = await Promise.all(pages.map((page) => agent.submit(page, {}, SIGN_OUT)));
  t.is(one!.left?.href, `${AFTER}?state=x+y`);
  for (const answer of [two!, three!, await agent.submit(pages[1]!, {})])
    t.deepEqual(pageOf(answer), ['signed-out', 200]);
  t.is((await agent.get((await fresh()).url)).page, 'login');
});

test.serial('a sign-out that knows only the session’s old name ends the session all the same', async (t) => {
  const p = await person();
  const agent = await signedIn(p.email);
  const asked = await fresh();
  const consent = await agent.get(asked.url);
  const leave = await agent.get('/logout');
  const late = asOfNow(agent);
  await agent.submit(consent, {}, ALLOW);
  setTimeout(() => reads(late, agent), 100);
  t.deepEqual(pageOf(await late.submit(leave, {}, SIGN_OUT)), ['signed-out', 200]);
  t.is((await postern.store.find('sessions', 'accountId', p.id)).rows.length, 0);
});

test.serial('leaving one application twice leaves the others', async (t) => {
  const p = await person();
  const [here, there] = [await library(), await library()];
  const agent = new UserAgent(postern.issuer);
  for (const client of [here, there]) await authorize(postern, client, {}, agent, p.email);
  const [one, two] = [await agent.get(await leaving(here)), await agent.get(await leaving(here))];
  const answers = await Promise.all([one, two].map((page) => agent.submit(page, {})));
  t.deepEqual(answers.map(pageOf), [
    ['signed-out', 200],
    ['signed-out', 200],
  ]);
  const silent = await request(await discover(postern, there), { prompt: 'none' });
  t.truthy((await agent.get(silent.url)).left?.searchParams.get('code'));
});

test.serial(
  'a sign-out form is for the session it was shown to: another person is asked, another site refused',
  async (t) => {
    const [ada, grace] = [await person(), await person('Grace')];
    const client = await library();
    const agent = await signedIn(ada.email);
    const page = await agent.get(await leaving(client, { post_logout_redirect_uri: AFTER }));
    const theirs = await signedIn(grace.email);
    const asked = await theirs.submit(page, {}, SIGN_OUT);
    t.deepEqual(pageOf(asked), ['logout', 200]);
    t.regex(asked.html, new RegExp(grace.email));
    t.is((await theirs.submit(asked, {}, SIGN_OUT)).left?.href, AFTER);
    const forged = (change: (xsrf: string) => string) =>
      agent.submit(
        { ...page, html: page.html.replace(/(name="xsrf" value=")([^"]*)/, (_, a, b) => a + change(b)) },
        {},
        SIGN_OUT,
      );
    const elsewhere = Buffer.from('{"session":"x","to":"https://evil.example"}').toString('base64url');
    for (const change of [
      (xsrf: string) => `${xsrf.split('.')[0]}.${elsewhere}`,
      () => `.${elsewhere}`,
      () => 'x.y',
      () => 'x',
      () => '',
    ]) {
      const answer = await forged(change);
      t.true([400, 403].includes(answer.status), `${answer.status}`);
      t.falsy(answer.left);
    }
    const site = new UserAgent(postern.issuer, { 'sec-fetch-site': 'cross-site' });
    reads(site, agent);
    t.is((await site.submit(page, {}, SIGN_OUT)).status, 403);
    t.is((await agent.get(await leaving(client))).page, 'logout', 'still signed in');
  },
);

test.serial('whoever is not signed in is signed out without being asked, and nothing is kept of it', async (t) => {
  const client = await library();
  const agent = new UserAgent(postern.issuer);
  const rows = async () => (await postern.store.stats()).rows.sessions;
  const before = await rows();
  t.deepEqual(pageOf(await agent.get('/logout')), ['signed-out', 200]);
  t.is(
    (await agent.get(await leaving(client, { post_logout_redirect_uri: AFTER, state: 's' }))).left?.href,
    `${AFTER}?state=s`,
  );
  t.is(await rows(), before);
  t.is(agent.cookies.size, 0);
});

test.serial('the session has another name after signing in, and the old one opens nothing', async (t) => {
  const p = await person();
  const agent = await signedIn(p.email);
  const planted = asOfNow(agent);
  const login = await agent.get((await fresh({ prompt: 'login' })).url);
  t.truthy((await signIn(agent, login, p.email)).left);
  t.is((await planted.get((await fresh()).url)).page, 'login');
});
