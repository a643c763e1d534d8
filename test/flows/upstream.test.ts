import test from 'ava';
import { discover, redeem, request, signIn } from '../support/client.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import {
  addPosternUpstream,
  OUTBOUND,
  press,
  signInThere,
  startBareProvider,
  startGitHub,
} from '../support/upstreams.ts';
import { type Answer, UserAgent } from '../support/user-agent.ts';

let here: Postern;
let there: Postern;
test.before(async () => {
  [here, there] = await Promise.all([startPostern({ env: OUTBOUND }), startPostern()]);
});
test.after.always(() => Promise.all([here.close(), there.close()]));

let count = 0;
const fresh = (name: string): string => `${name}${count++}@example.com`;

/** An application's request, at its sign-in page. */
async function begin(parameters: Record<string, string> = {}, agent = new UserAgent(here.issuer), server = here) {
  const asked = await request(await discover(server, await addClient(server, { firstParty: true })), parameters);
  return { agent, asked, page: await agent.get(asked.url) };
}

/** Somebody who signs in at the other server. */
async function visitor(email: string, name = 'Ada Lovelace', agent = new UserAgent(there.issuer)) {
  await there.domain.accounts.add({ email, name, password: PASSWORD, emailVerified: true });
  return async (at: URL): Promise<Answer> => signIn(agent, await agent.get(at), email);
}

test('a person nobody knows signs in at another Postern and has an account from then on, if the operator wants that', async (t) => {
  const upstream = await addPosternUpstream(here, there, { id: 'open', trustsEmail: true, signsUp: true });
  const email = fresh('newcomer');
  const visit = await visitor(email, 'Grace Hopper');
  const { agent, asked, page } = await begin();
  t.regex(page.html, /City of Riverside/);
  const { left } = await signInThere(agent, page, upstream, visit);
  const claims = (await redeem(asked, left!)).claims()!;
  t.like(claims, { email, email_verified: true, name: 'Grace Hopper', amr: ['fed'] });
  t.is(claims['acr'], 'urn:postern:acr:one-factor');
  t.is((await here.domain.accounts.get(claims.sub))?.passwordHash, undefined);
  const again = await begin();
  const second = await signInThere(again.agent, again.page, upstream, visit);
  t.is((await redeem(again.asked, second.left!)).claims()?.sub, claims.sub, 'the same person');
  t.is((await here.domain.identities.listForAccount(claims.sub)).length, 1);
});

test('whoever is not signed up signs in here once, says that both are theirs, and needs no password after that', async (t) => {
  const upstream = await addPosternUpstream(here, there, { id: 'closed' });
  const email = fresh('linker');
  const person = await addPerson(here, email);
  const visit = await visitor(email);
  const { agent, asked, page } = await begin();
  const login = await signInThere(agent, page, upstream, visit);
  t.is(login.page, 'login');
  t.regex(login.html, new RegExp(`came back from .*City of Riverside.* as .*${email}`, 's'));
  const ask = await agent.submit(login, { email, password: PASSWORD });
  t.is(ask.page, 'link');
  const { left } = await agent.submit(ask, {}, { name: 'decision', value: 'link' });
  t.deepEqual((await redeem(asked, left!)).claims()?.['amr'], ['pwd']);
  const again = await begin();
  const second = await signInThere(again.agent, again.page, upstream, visit);
  const claims = (await redeem(again.asked, second.left!)).claims()!;
  t.is(claims.sub, person.id);
  t.deepEqual(claims['amr'], ['fed']);
});

test('an address alone opens nobody’s account, however sure the upstream is of it', async (t) => {
  const upstream = await addPosternUpstream(here, there, { id: 'takeover', trustsEmail: true, signsUp: true });
  const email = fresh('victim');
  const victim = await addPerson(here, email);
  const visit = await visitor(email, 'Mallory');
  const { agent, page } = await begin();
  const login = await signInThere(agent, page, upstream, visit);
  t.is(login.page, 'login');
  t.is(login.left, undefined);
  t.deepEqual(await here.domain.identities.listForAccount(victim.id), []);
});

test('whoever says no to linking is signed in all the same, is asked no more, and nothing is linked', async (t) => {
  const upstream = await addPosternUpstream(here, there, { id: 'declined' });
  const email = fresh('decliner');
  const person = await addPerson(here, email);
  const { agent, asked, page } = await begin();
  const login = await signInThere(agent, page, upstream, await visitor(email));
  const ask = await agent.submit(login, { email, password: PASSWORD });
  const { left } = await agent.submit(ask, {}, { name: 'decision', value: 'skip' });
  t.is((await redeem(asked, left!)).claims()?.sub, person.id);
  t.deepEqual(await here.domain.identities.listForAccount(person.id), []);
});

test('whoever came back unknown may forget it, and is asked nothing of it later', async (t) => {
  const upstream = await addPosternUpstream(here, there, { id: 'forgotten' });
  const email = fresh('forgetter');
  await addPerson(here, email);
  const { agent, page } = await begin();
  const login = await signInThere(agent, page, upstream, await visitor(email));
  const clean = await agent.submit(login, {}, { name: 'upstream', value: '' });
  t.notRegex(clean.html, /came back/);
  t.truthy((await agent.submit(clean, { email, password: PASSWORD })).left);
});

test('a second factor is asked for after an upstream sign-in as after a password, and before anything is linked', async (t) => {
  const upstream = await addPosternUpstream(here, there, { id: 'strict', trustsEmail: true, signsUp: true });
  const { agent, page } = await begin({ acr_values: 'urn:postern:acr:two-factor' });
  const enrol = await signInThere(agent, page, upstream, await visitor(fresh('strict')));
  t.is(enrol.page, 'enrol');
  const email = fresh('strictlinker');
  const person = await addPerson(here, email);
  const other = await begin({ acr_values: 'urn:postern:acr:two-factor' });
  const login = await signInThere(other.agent, other.page, upstream, await visitor(email));
  t.is((await other.agent.submit(login, { email, password: PASSWORD })).page, 'enrol');
  t.deepEqual(await here.domain.identities.listForAccount(person.id), []);
});

test('a disabled person stays outside, and is told so without a dead end', async (t) => {
  const upstream = await addPosternUpstream(here, there, { id: 'disabled', trustsEmail: true, signsUp: true });
  const email = fresh('disabled');
  const visit = await visitor(email);
  const first = await begin();
  await signInThere(first.agent, first.page, upstream, visit);
  await here.domain.accounts.setDisabled((await here.domain.accounts.byEmail(email))!.id, true);
  const { agent, page } = await begin();
  const answer = await signInThere(agent, page, upstream, visit);
  t.is(answer.page, 'login');
  t.regex(answer.html, /role="alert"[\s\S]*cannot be used/);
});

test('oidc-provider as it comes, its addresses at userinfo only, is an upstream by settings alone', async (t) => {
  await using bare = await startBareProvider(here.domain.upstreams.callbackOf('bare'));
  await here.domain.upstreams.add({
    id: 'bare',
    name: 'Bare',
    kind: 'oidc',
    issuer: bare.issuer,
    clientId: 'postern',
    clientSecret: 'a secret of the test',
    scopes: ['openid', 'email', 'profile'],
    trustsEmail: true,
    signsUp: true,
  });
  const { agent, asked, page } = await begin({ ui_locales: 'de', login_hint: 'ada' });
  const { left } = await signInThere(agent, page, 'bare', (at) => bare.visit(at, 'ada'));
  t.like((await redeem(asked, left!)).claims(), { email: 'ada@bare.example', name: 'Bare ada', amr: ['fed'] });
  await here.domain.upstreams.remove('bare');
});

test('GitHub, which has no OpenID Connect: the number is the person, the primary verified address is the address', async (t) => {
  await using github = await startGitHub();
  await here.domain.upstreams.add({
    id: 'github',
    name: 'GitHub',
    kind: 'github',
    issuer: github.issuer,
    clientId: 'Iv1.0123456789abcdef',
    clientSecret: 'a secret of the test',
    scopes: ['read:user', 'user:email'],
    trustsEmail: true,
    signsUp: true,
  });
  const visit = (at: URL) => new UserAgent(github.issuer).get(at);
  const { agent, asked, page } = await begin();
  const { left } = await signInThere(agent, page, 'github', visit);
  const claims = (await redeem(asked, left!)).claims()!;
  t.like(claims, { email: 'octocat@github.example', name: 'The Octocat' });
  t.regex(github.redeemed[0]?.get('code_verifier') ?? '', /^[\w-]{43}$/);
  github.person = { ...github.person, login: 'renamed', emails: [] };
  github.iss = undefined;
  const again = await begin();
  const second = await signInThere(again.agent, again.page, 'github', visit);
  t.is((await redeem(again.asked, second.left!)).claims()?.sub, claims.sub, 'a new login is the same person');
  for (const person of [
    { ...github.person, id: 2, emails: [{ email: 'a@b.example', primary: true, verified: false }] },
    { ...github.person, id: 3, emails: { message: 'rate limited' } },
    { ...github.person, id: 4, emails: [{ email: 'a@b.example', primary: false, verified: true }] },
  ]) {
    github.person = person;
    const unknown = await begin();
    t.is((await signInThere(unknown.agent, unknown.page, 'github', visit)).page, 'login', 'no address: no account');
  }
  github.person = { ...github.person, id: '583231' };
  const odd = await begin();
  t.regex((await signInThere(odd.agent, odd.page, 'github', visit)).html, /cannot be trusted/);
  github.iss = 'https://github.example/login/oauth';
  const mixedUp = await begin();
  t.regex((await signInThere(mixedUp.agent, mixedUp.page, 'github', visit)).html, /cannot be trusted/);
  await here.domain.upstreams.remove('github');
});

test('prompt=login and max_age are the upstream’s to keep: it asks anew, and its auth_time is ours', async (t) => {
  const upstream = await addPosternUpstream(here, there, { id: 'anew', trustsEmail: true, signsUp: true });
  const browserThere = new UserAgent(there.issuer);
  const visit = await visitor(fresh('anew'), 'Ada', browserThere);
  const first = await begin();
  await signInThere(first.agent, first.page, upstream, visit);
  const { agent, asked, page } = await begin({ prompt: 'login' }, first.agent);
  t.is(page.page, 'login');
  const { left } = await press(agent, page, upstream);
  t.is(left?.searchParams.get('prompt'), 'login');
  t.is(left?.searchParams.get('max_age'), '0');
  const login = await browserThere.get(left!);
  t.is(login.page, 'login', 'though signed in there');
  const back = await signIn(browserThere, login, login.html.match(/value="(anew[^"]*)"/)?.[1]);
  const answer = await agent.get(back.left!);
  t.truthy((await redeem(asked, answer.left!)).claims()?.auth_time);
});

test('an upstream that cannot say when somebody signed in is not offered where that is asked', async (t) => {
  await here.domain.upstreams.add({
    id: 'facebook',
    name: 'Facebook',
    kind: 'facebook',
    issuer: 'https://www.facebook.com',
    clientId: '1',
    scopes: ['email'],
  });
  t.regex((await begin()).page.html, /Continue with [^<]*<bdi[^>]*>Facebook/);
  for (const parameters of [{ prompt: 'login' }, { max_age: '60' }]) {
    const { agent, page } = await begin(parameters);
    t.notRegex(page.html, /Facebook/);
    const forced = await agent.post(
      page.html.match(/action="([^"]*)"/)![1]!.replace('/login', '/upstream'),
      new URLSearchParams({ csrf: /name="csrf" value="([^"]*)"/.exec(page.html)![1]!, upstream: 'facebook' }),
    );
    t.is(forced.left, undefined);
  }
  await here.domain.upstreams.remove('facebook');
});
