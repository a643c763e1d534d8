/** An operator sees where somebody is signed in, and ends one sign-in as its owner would. */
import test from 'ava';
import * as oidc from 'openid-client';
import { perform } from '../../src/operations/index.ts';
import { authorize, signIn } from '../support/client.ts';
import { signInOften } from '../support/kept-sign-ins.ts';
import { atDesk } from '../support/operators.ts';
import { addClient, addPerson, type Postern, startPostern } from '../support/postern.ts';
import { readLogoutToken, startRelyingParty } from '../support/relying-party.ts';
import { connectDevice } from '../support/television.ts';
import { until } from '../support/until.ts';
import { OUTBOUND } from '../support/upstreams.ts';
import { type Answer, UserAgent } from '../support/user-agent.ts';

const SAFARI = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const OFFLINE = { scope: 'openid offline_access', prompt: 'consent' };

let postern: Postern;
test.before(async () => {
  postern = await startPostern({ env: OUTBOUND });
});
test.after.always(() => postern?.close());

let people = 0;
const somebody = () => addPerson(postern, `somebody${++people}@example.com`);
const browser = (name: string) => new UserAgent(postern.issuer, { 'user-agent': name });

interface Shown {
  readonly id: string;
  readonly browser: string | null;
  readonly clients: readonly { readonly client_name: string }[];
}
const sessionsOf = async (user: string) => (await perform(postern.domain, 'user.sessions', { user })) as Shown[];

test.serial(
  'one sign-in is ended: it is out, its applications too and told so, the other goes on, and the event says by whom',
  async (t) => {
    await using party = await startRelyingParty();
    const { id, email } = await somebody();
    const shop = await addClient(postern, { name: 'Fish Shop', firstParty: true, backchannelLogoutUri: party.uri });
    const club = await addClient(postern, { name: 'Reading club', firstParty: true });
    const bought = await authorize(postern, shop, OFFLINE, browser(SAFARI), email);
    const read = await authorize(postern, club, OFFLINE, browser(FIREFOX), email);

    const { agent, page, person: operator } = await atDesk(postern, `/admin/people/${id}`);
    t.regex(page.html, /In 2 browsers/);
    t.regex(page.html, /Safari on iPhone[\s\S]*?127\.0\.0\.1[\s\S]*?Fish Shop[\s\S]*?value="end-session"/);
    t.regex(page.html, /Firefox on Linux[\s\S]*?Reading club[\s\S]*?value="end-session"/);
    const ended = await agent.press(page, 'Sign out', {}, 'Safari on iPhone');
    t.regex(ended.html, /role="status">That sign-in is ended[\s\S]*In 1 browser/);
    t.notRegex(ended.html, /Safari/);

    t.is((await bought.agent.get('/account')).page, 'login');
    await t.throwsAsync(oidc.refreshTokenGrant(bought.config, bought.tokens.refresh_token!));
    await t.throwsAsync(oidc.fetchUserInfo(bought.config, bought.tokens.access_token, oidc.skipSubjectCheck));
    await until(() => party.told.length > 0);
    const { sub, sid } = await readLogoutToken(postern.issuer, shop.id, party.told[0]!);
    t.deepEqual([sub, sid], [id, bought.tokens.claims()!['sid']]);

    t.is((await read.agent.get('/account')).page, 'account');
    t.truthy((await oidc.refreshTokenGrant(read.config, read.tokens.refresh_token!)).access_token);
    const { events } = await postern.domain.audit.listForAccount(id);
    const told = events.filter(({ type }) => type === 'session.ended').map(({ details }) => details['by']);
    t.deepEqual(told, [operator.id]);

    const again = await agent.press(page, 'Sign out', {}, 'Safari on iPhone');
    t.regex(again.html, /That sign-in is ended/, 'an open form of before tells what is so');
    t.is((await postern.domain.audit.listForAccount(id)).events.length, events.length);
  },
);

test.serial('what a device got in a sign-in is told with it, and ends with it', async (t) => {
  const { email } = await addPerson(postern);
  const television = await addClient(postern, {
    name: 'Television',
    type: 'native',
    redirectUris: [],
    deviceGrant: true,
  });
  const { tokens } = await connectDevice(postern, television, browser(SAFARI));
  const [session, ...others] = await sessionsOf(email);
  t.deepEqual(others, []);
  t.like(session, { browser: 'Safari', clients: [{ client_name: 'Television' }] });
  await perform(postern.domain, 'user.end-session', { user: email, session: session!.id });
  t.deepEqual(await sessionsOf(email), []);
  const answer = await fetch(`${postern.issuer}/userinfo`, {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  });
  t.is(answer.status, 401);
});

test.serial("a session of somebody else's, or a word that names none, ends nothing", async (t) => {
  const [ada, eve] = [await somebody(), await somebody()];
  const theirs = new UserAgent(postern.issuer);
  await signIn(theirs, await theirs.get('/account'), eve.email);
  const [hers] = await sessionsOf(eve.id);
  const { agent, page } = await atDesk(postern, `/admin/people/${ada.id}`);
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
  const send = (session: string) =>
    agent.post(page.url, new URLSearchParams({ csrf, decision: 'end-session', session }));
  for (const session of [hers!.id, '', '__proto__', 'x'.repeat(3000)]) {
    await send(session);
    await t.throwsAsync(perform(postern.domain, 'user.end-session', { user: ada.id, session }), {
      message: /has no such session/,
    });
  }
  t.is((await theirs.get('/account')).page, 'account');
});

test.serial(
  'whoever is signed in at very many places is told page by page, and one is ended on its page',
  async (t) => {
    const { id, email } = await somebody();
    const client = await addClient(postern, { name: 'Fish Shop', firstParty: true });
    const ids = await signInOften(postern, client, email, 70);
    const { agent, page } = await atDesk(postern, `/admin/people/${id}`);
    const idsOn = ({ html }: Answer) => [...html.matchAll(/name="session" value="([^"]+)"/g)].map(([, id]) => id);
    const nextOf = ({ html }: Answer) => /rel="next" href="([^"]+)"/.exec(html)?.[1];
    t.regex(page.html, /In 71 browsers/);
    t.deepEqual(idsOn(page), ids.slice(0, 50));
    const older = await agent.get(nextOf(page)!);
    t.deepEqual(idsOn(older), ids.slice(50));
    t.is(nextOf(older), undefined);
    t.regex(older.html, /Fish Shop/);
    const ended = await agent.press(older, 'Sign out', {}, ids[60]);
    t.regex(ended.html, /That sign-in is ended[\s\S]*In 70 browsers/);
    t.deepEqual(idsOn(ended), [...ids.slice(50, 60), ...ids.slice(61)]);
  },
);

test.serial('nobody ends a sign-in of their own there, and nothing that opens a session is shown', async (t) => {
  const { agent, person } = await atDesk(postern);
  const own: Answer = await agent.get(`/admin/people/${person.id}`);
  t.regex(own.html, /Where they are signed in/);
  t.notRegex(own.html, /value="end-session"/);
  const { html } = await agent.get(`/admin/people/${(await somebody()).id}`);
  t.notRegex(html, /Where they are signed in/);
  const [{ id }] = (await sessionsOf(person.id)) as [Shown];
  const csrf = /name="csrf" value="([^"]+)"/.exec((await agent.get(`/admin/people/${person.id}/edit`)).html)?.[1] ?? '';
  t.is((await agent.post(own.url, new URLSearchParams({ csrf, decision: 'end-session', session: id }))).status, 403);
  for (const { value } of agent.cookies.values()) {
    const secret = value.split('.')[0]!;
    if (secret.length > 8) t.false(own.html.includes(secret));
  }
});
