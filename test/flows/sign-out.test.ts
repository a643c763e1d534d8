import test, { type ExecutionContext } from 'ava';
import * as oidc from 'openid-client';
import { authorize, discover, redeem, request, signIn } from '../support/client.ts';
import { addClient, addPerson, type Postern, startPostern } from '../support/postern.ts';
import { type RelyingParty, readLogoutToken, startRelyingParty } from '../support/relying-party.ts';
import { until } from '../support/until.ts';
import { OUTBOUND } from '../support/upstreams.ts';
import { UserAgent } from '../support/user-agent.ts';

let postern: Postern;
test.before(async () => {
  postern = await startPostern({ env: OUTBOUND });
});
test.after.always(() => postern.close());

let count = 0;
const fresh = (): string => `leaver${count++}@example.com`;

type Client = Awaited<ReturnType<typeof addClient>>;
type Terms = Parameters<typeof addClient>[1];

const listener = (party: RelyingParty, more: Terms = {}): Promise<Client> =>
  addClient(postern, {
    firstParty: true,
    backchannelLogoutUri: party.uri,
    backchannelLogoutSessionRequired: true,
    ...more,
  });

/** Somebody signed in to several applications in one browser. */
async function signedIn(clients: readonly Client[], email = fresh(), parameters: Record<string, string> = {}) {
  const person = (await postern.domain.accounts.byEmail(email)) ?? (await addPerson(postern, email));
  const agent = new UserAgent(postern.issuer);
  const at = [];
  for (const client of clients) at.push(await authorize(postern, client, parameters, agent, email));
  return { person, email, agent, at };
}

const told = (party: RelyingParty): Promise<void> => until(() => party.told.length > 0);

/** Whether everything an application was issued is over: its refresh token, and its access token where one asks. */
async function isOver({ config, tokens }: Awaited<ReturnType<typeof authorize>>): Promise<boolean> {
  const { active } = await oidc.tokenIntrospection(config, tokens.access_token);
  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token!).then(
    () => true,
    () => false,
  );
  return !active && !refreshed;
}

test('signing out tells every application of the session, by a token that each can check', async (t) => {
  const [one, two, other] = await parties(t, 3);
  const clients = [await listener(one), await listener(two, { backchannelLogoutSessionRequired: false })];
  const deaf = await addClient(postern, { firstParty: true });
  await signedIn([await listener(other)]);
  const { agent, at, person } = await signedIn([...clients, deaf]);
  const answer = await agent.submit(await agent.get('/logout'), {}, { name: 'logout', value: 'yes' });
  t.is(answer.page, 'signed-out');
  const seen = new Set();
  for (const [index, party] of [one, two].entries()) {
    await told(party);
    const payload = await readLogoutToken(postern.issuer, clients[index]!.id, party.told[0]!);
    t.is(payload.sub, person.id);
    t.is(payload['sid'], at[index]!.tokens.claims()!['sid']);
    t.deepEqual(payload['events'], { 'http://schemas.openid.net/event/backchannel-logout': {} });
    t.is(payload['nonce'], undefined);
    t.true(payload.exp! - payload.iat! <= 120);
    seen.add(payload.jti).add(payload['sid']);
  }
  t.is(seen.size, 4, 'nothing in common');
  for (const each of at) t.true(await isOver(each));
  t.deepEqual(other.told, [], 'another person’s session goes on');
});

test('signing out of one application ends and tells that one alone', async (t) => {
  const [one, two] = await parties(t, 2);
  const clients = [await listener(one), await listener(two)];
  const { agent, at } = await signedIn(clients);
  const url = oidc.buildEndSessionUrl(at[0]!.config, { id_token_hint: at[0]!.tokens.id_token! });
  const page = await agent.get(url);
  t.regex(page.html, /Only from [\s\S]*Photo Prints/);
  await agent.submit(page, {});
  await told(one);
  t.true(await isOver(at[0]!));
  t.false(await isOver(at[1]!));
  t.deepEqual(two.told, []);
});

test('whoever signs out does not wait for an application that never answers', async (t) => {
  const [silent] = await parties(t, 1);
  silent.status = 0;
  const { agent, at } = await signedIn([await listener(silent)]);
  const answer = await agent.submit(await agent.get('/logout'), {}, { name: 'logout', value: 'yes' });
  t.is(answer.page, 'signed-out');
  t.true(await isOver(at[0]!));
  await told(silent);
});

test('whatever ends somebody’s tokens at an application ends them at once, and the application is told', async (t) => {
  const { accounts, consents } = postern.domain;
  const ends: Record<string, (person: { id: string }, client: Client) => Promise<unknown>> = {
    'the operator disables them': ({ id }) => accounts.setDisabled(id, true),
    'the operator removes them': ({ id }) => accounts.remove(id),
    'they withdraw what they allowed': ({ id }, client) => consents.withdraw(id, client.id),
  };
  for (const [what, end] of Object.entries(ends)) {
    const [party] = await parties(t, 1);
    const client = await listener(party, { firstParty: false });
    const { person, at } = await signedIn([client], fresh(), { scope: 'openid offline_access', prompt: 'consent' });
    await end(person, client);
    t.true(await isOver(at[0]!), what);
    await told(party);
    const payload = await readLogoutToken(postern.issuer, client.id, party.told[0]!);
    t.is(payload['sid'], at[0]!.tokens.claims()!['sid'], what);
  }
});

test('where somebody else signs in on the same browser, the applications of the first person are told', async (t) => {
  const [bound, offline] = await parties(t, 2);
  const clients = [await listener(bound), await listener(offline)];
  const { agent, at, email } = await signedIn([clients[0]!]);
  at.push(await authorize(postern, clients[1]!, { scope: 'openid offline_access', prompt: 'consent' }, agent, email));
  const second = await addPerson(postern, fresh());
  const asked = await request(at[0]!.config, { prompt: 'login' });
  const { left } = await signIn(agent, await agent.get(asked.url), second.email);
  t.is((await redeem(asked, left!)).claims()?.sub, second.id);
  for (const [index, party] of [bound, offline].entries()) {
    await told(party);
    const payload = await readLogoutToken(postern.issuer, clients[index]!.id, party.told[0]!);
    t.is(payload['sid'], at[index]!.tokens.claims()!['sid']);
  }
  t.true(await isOver(at[0]!));
  t.truthy(await oidc.refreshTokenGrant(at[1]!.config, at[1]!.tokens.refresh_token!), 'offline access was asked for');
});

test('a refresh token replayed ends the session at that application, which is told', async (t) => {
  const [party] = await parties(t, 1);
  const { at } = await signedIn([await listener(party)]);
  const { config, tokens } = at[0]!;
  const { refresh_token: next } = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
  await oidc.refreshTokenGrant(config, next!);
  await t.throwsAsync(oidc.refreshTokenGrant(config, tokens.refresh_token!));
  await told(party);
  t.pass();
});

test('a logout token opens nothing', async (t) => {
  const [party] = await parties(t, 1);
  const { agent, at } = await signedIn([await listener(party)]);
  await agent.submit(await agent.get('/logout'), {}, { name: 'logout', value: 'yes' });
  await told(party);
  const [token] = party.told;
  const headers = { authorization: `Bearer ${token}` };
  t.is((await fetch(`${postern.issuer}/userinfo`, { headers })).status, 401);
  t.false((await oidc.tokenIntrospection(at[0]!.config, token!)).active);
  await t.throwsAsync(oidc.refreshTokenGrant(at[0]!.config, token!));
});

test('discovery says that applications are told, and ID tokens name the session while it lasts', async (t) => {
  const client = await addClient(postern, { firstParty: true });
  const { agent, at } = await signedIn([client]);
  t.like(at[0]!.config.serverMetadata(), {
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
  });
  const sid = at[0]!.tokens.claims()!['sid'];
  t.is(typeof sid, 'string');
  const again = await authorize(postern, client, { prompt: 'none' }, agent);
  t.is(again.tokens.claims()!['sid'], sid);
  const refreshed = await oidc.refreshTokenGrant(again.config, again.tokens.refresh_token!);
  t.is(refreshed.claims()!['sid'], sid);
  const elsewhere = await signedIn([client]);
  t.not(elsewhere.at[0]!.tokens.claims()!['sid'], sid);
});

test('an address nobody could be told at is refused when it is registered', async (t) => {
  for (const uri of [
    'http://app.example/out',
    'https://app.example/out#x',
    'app:/out',
    'https://u:p@app.example/',
    '/out',
  ])
    await t.throwsAsync(addClient(postern, { backchannelLogoutUri: uri }), { code: 'backchannel_logout_uri_invalid' });
  await t.throwsAsync(
    addClient(postern, { type: 'service', redirectUris: [], backchannelLogoutUri: 'https://app.example/out' }),
    { code: 'backchannel_logout_uri_invalid' },
  );
});

test('an application in a private network is not told unless outbound.allow names it, and that is written down', async (t) => {
  const strict = await startPostern();
  await using party = await startRelyingParty();
  const person = await addPerson(strict);
  const client = await addClient(strict, { firstParty: true, backchannelLogoutUri: party.uri });
  const { agent } = await authorize(strict, client);
  await agent.submit(await agent.get('/logout'), {}, { name: 'logout', value: 'yes' });
  const { audit } = strict.domain;
  await until(async () =>
    (await audit.listForAccount(person.id)).events.some(({ type }) => type === 'delivery.given_up'),
  );
  t.deepEqual(party.told, []);
  await strict.close();
});

test('prompt=none answers for who is signed in, and says what is missing where it cannot', async (t) => {
  const first = await addClient(postern, { firstParty: true });
  const third = await addClient(postern);
  const { agent, person, email } = await signedIn([first]);
  const silently = async (client: Client, parameters: Record<string, string> = {}, browser = agent) => {
    const asked = await request(await discover(postern, client), { prompt: 'none', ...parameters });
    const { left } = await browser.get(asked.url);
    return left!.searchParams.get('error') ?? (await redeem(asked, left!)).claims()!.sub;
  };
  t.is(await silently(first), person.id);
  t.is(await silently(first, { login_hint: email }), person.id);
  t.is(await silently(third), 'consent_required');
  t.is(await silently(first, { max_age: '0' }), 'login_required');
  t.is(await silently(first, { acr_values: 'urn:postern:acr:two-factor' }), 'login_required');
  t.is(await silently(first, {}, new UserAgent(postern.issuer)), 'login_required');
  await agent.submit(await agent.get('/logout'), {}, { name: 'logout', value: 'yes' });
  t.is(await silently(first), 'login_required');
});

async function parties(t: ExecutionContext, n: number) {
  const all = await Promise.all(Array.from({ length: n }, startRelyingParty));
  t.teardown(() => Promise.all(all.map((each) => each[Symbol.asyncDispose]())));
  return all as [RelyingParty, RelyingParty, RelyingParty];
}
