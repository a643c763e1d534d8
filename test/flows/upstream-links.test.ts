import test from 'ava';
import { authorize, discover, request } from '../support/client.ts';
import { CLIENT_ID, startOpenIdStub } from '../support/openid-stub.ts';
import { addClient, addPerson, type Postern, startPostern } from '../support/postern.ts';
import { OUTBOUND, press } from '../support/upstreams.ts';
import { UserAgent } from '../support/user-agent.ts';

let here: Postern;
test.before(async () => {
  here = await startPostern({ env: OUTBOUND });
});
test.after.always(() => here.close());

let count = 0;

/** No page of ours, which would take what the test looks at. */
const WHERE = '/account/where-it-began';

/** Somebody who is signed in, and on the way to a provider to link it to their account. */
async function linking() {
  const stub = await startOpenIdStub();
  const upstream = `link${count++}`;
  const { upstreams, upstreamRequests, places } = here.domain;
  await upstreams.add({
    id: upstream,
    name: 'Riverside',
    kind: 'oidc',
    issuer: stub.issuer,
    clientId: CLIENT_ID,
    scopes: ['openid'],
  });
  const email = `${upstream}@example.com`;
  const person = await addPerson(here, email);
  const client = await addClient(here, { firstParty: true });
  const { agent } = await authorize(here, client, {}, undefined, email);
  // Any button gives the browser its mark.
  const asked = await request(await discover(here, client), { prompt: 'login' });
  await press(agent, await agent.get(asked.url), upstream);
  const browser = [...agent.cookies].find(([name]) => /browser/.test(name))![1].value;
  const [session] = [...(await places.listForAccount(person.id)).keys()];
  const whose = { session: session!, accountId: person.id, to: WHERE };
  const { state, nonce } = await upstreamRequests.begin({ whose, upstream, browser, remember: false });
  stub.says({ nonce, sub: upstream });
  return {
    agent,
    person,
    stub,
    back: `${here.issuer}/upstream/${upstream}/callback?${new URLSearchParams({ code: 'c', state })}`,
    links: () => here.domain.identities.listForAccount(person.id),
    outcome: () => upstreamRequests.takeAnswer({ session: session! }),
    dispose: () => stub[Symbol.asyncDispose](),
  };
}

test('whoever is signed in links an upstream to their account, and comes back to where they began', async (t) => {
  const { agent, links, back, person, outcome, dispose } = await linking();
  t.is(new URL((await agent.get(back)).url).pathname, WHERE);
  const [link] = await links();
  t.like(link, { accountId: person.id, subject: link!.upstream });
  t.like(await outcome(), { linked: 'here' });
  const { events } = await here.domain.audit.listForAccount(person.id);
  t.truthy(events.find(({ type }) => type === 'identity.linked'));
  await dispose();
});

test('nothing is linked once the session that began it is over, or is somebody else’s', async (t) => {
  const one = await linking();
  await here.domain.sessions.endForAccount(one.person.id);
  t.is((await one.agent.get(one.back)).status, 400);
  t.deepEqual(await one.links(), []);
  const other = await linking();
  const stranger = new UserAgent(here.issuer);
  for (const [name, cookie] of other.agent.cookies) if (/browser/.test(name)) stranger.cookies.set(name, cookie);
  t.is((await stranger.get(other.back)).status, 400, 'nobody is signed in there');
  t.deepEqual(await other.links(), []);
  await Promise.all([one.dispose(), other.dispose()]);
});

test('nothing is linked once the session is over that began it, also where it ends while the upstream is asked', async (t) => {
  const { agent, person, back, links, stub, dispose } = await linking();
  const token = stub.answers['/token']!;
  stub.answers['/token'] = async (...asked) => {
    await here.domain.accounts.signOut(person.id);
    return token(...asked);
  };
  t.is((await agent.get(back)).status, 400);
  t.deepEqual(await links(), []);
  await dispose();
});

test('who is somebody else’s already stays theirs, and whoever tried is told', async (t) => {
  const { agent, links, back, stub, outcome, dispose } = await linking();
  const owner = await addPerson(here, `owner${count}@example.com`);
  const id = /upstream\/([^/]*)\//.exec(back)![1]!;
  await here.domain.identities.link(owner.id, { upstream: { id, issuer: stub.issuer }, subject: id });
  await agent.get(back);
  t.deepEqual(await links(), []);
  t.like(await outcome(), { linked: 'elsewhere' });
  await dispose();
});

test('a link can be ended, but never the last way in; of two ended at once, one stays', async (t) => {
  const { accounts, identities } = here.domain;
  const upstream = { id: 'gone', issuer: 'https://gone.example' };
  const person = await accounts.add({ email: 'links@example.com' });
  const [a, b] = await Promise.all(['a', 'b'].map((subject) => identities.link(person.id, { upstream, subject })));
  const ended = await Promise.allSettled([a, b].map((each) => identities.unlink(person.id, each!.id)));
  t.deepEqual(ended.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  const [last] = await identities.listForAccount(person.id);
  await t.throwsAsync(identities.unlink(person.id, last!.id), { message: /only way/ });
  const other = await addPerson(here, 'otherlinks@example.com');
  await t.throwsAsync(identities.unlink(other.id, last!.id), { message: /no such link/ });
});
