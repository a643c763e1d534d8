/** What meets an authorization request on its short way (src/short/authorizations.ts), at the worst moment. */
import test from 'ava';
import type { Domain } from '../../src/domain/index.ts';
import { type Duration, days, hours, inSeconds, seconds, sha256 } from '../../src/lib/index.ts';
import { type Artifact, type Change, type Row, type Store, StoreUnavailable } from '../../src/store/index.ts';
import { inBrowser, MONTH } from '../support/authorization-requests.ts';
import { wholeWay } from '../support/both-ways.ts';
import { discover, redeem, request, signIn } from '../support/client.ts';
import { type Sent, send } from '../support/hostile.ts';
import { cookiesOf, copyOf, type Kept, keepSignIn, type Opened, openedOf, remember } from '../support/kept-sign-ins.ts';
import { addClient, addPerson, CALLBACK, type Postern, startPostern } from '../support/postern.ts';
import { digest, shortWaysOf } from '../support/short-ways.ts';
import { UserAgent } from '../support/user-agent.ts';

let postern: Postern;
let opened: Opened;
let kept: Kept;
test.serial.before(async () => {
  postern = await startPostern();
  opened = openedOf(postern);
  await addPerson(postern);
  kept = await keepSignIn(postern, await addClient(postern), 'openid profile email');
});
test.after.always(() => postern.close());

let count = 0;

/** Somebody of their own, signed in to an application of its own. @param age since they last came */
async function somebody(age: Duration = 0) {
  const { domain, store, issuer } = postern;
  count += 1;
  const { id } = await domain.accounts.add({ email: `somebody-${count}@example.com` });
  const client = await addClient(postern);
  await remember(postern, kept, { accountId: id, clientId: client.id });
  const since = inSeconds(Date.now() - age);
  const { sessionId, rows } = copyOf(
    opened,
    { ...kept, client },
    {
      accountId: id,
      grant: { clientId: client.id, exp: since + inSeconds(MONTH + days(1)) },
      session: { exp: since + inSeconds(MONTH) },
    },
  );
  await store.commit(Object.values(rows));
  const cookie = cookiesOf(postern)(sessionId);
  const agent = new UserAgent(issuer);
  for (const pair of cookie.split('; ')) {
    const [name, value = ''] = pair.split('=');
    agent.cookies.set(`${name} /`, { value, path: '/' });
  }
  const config = await discover(postern, client);
  return {
    id,
    client,
    agent,
    async ask() {
      const asked = await request(config);
      const query = [...asked.url.searchParams];
      return { asked, sent: { method: 'GET', path: '/authorize', query, headers: { cookie } } satisfies Sent };
    },
  };
}
type Somebody = Awaited<ReturnType<typeof somebody>>;

/** A moment ago, and so long ago that the session is written again. */
const AGES = [0, hours(1)];

/** The store, but for a commit. */
const committing = (commit: Store['commit']): Store => {
  const { store } = postern;
  return { ...store, get: store.get.bind(store), find: store.find.bind(store), commit };
};

const ENDS: readonly [fact: string, end: (of: Somebody, domain: Domain) => Promise<unknown>][] = [
  ['signs out', async ({ agent }) => agent.submit(await agent.get('/logout'), {}, { name: 'logout', value: 'yes' })],
  ['takes the application its access', ({ id, client }, { consents }) => consents.withdraw(id, client.id)],
  ['is disabled', ({ id }, { accounts }) => accounts.setDisabled(id, true)],
  [
    'is disabled and not yet signed out',
    async ({ id }) => {
      const { record } = (await postern.store.get('accounts', id))!;
      await postern.store.commit([{ put: 'accounts', id, record: { ...record, disabled: true } }]);
    },
  ],
  ['is removed', ({ id }, { accounts }) => accounts.remove(id)],
  ['is signed out everywhere', ({ id }, { sessions }) => sessions.endForAccount(id)],
  ['loses the application', ({ client }, { clients }) => clients.remove(client.id)],
];

for (const [fact, end] of ENDS) {
  test.serial(`nobody is sent back with a code where somebody ${fact} in that moment`, async (t) => {
    for (const when of ['before', 'after']) {
      for (const age of AGES) {
        const of = await somebody(age);
        const { sent } = await of.ask();
        const { store } = postern;
        const meeting = committing(async (changes) => {
          if (when === 'before') await end(of, postern.domain);
          await store.commit(changes);
          if (when === 'after') await end(of, postern.domain);
        });
        const { url } = await shortWaysOf(t, { ...postern, store: meeting });
        t.deepEqual((await send(url, sent)).status, 418, `${when}, ${age}`);
        const { rows } = await store.find('authorization_codes', 'accountId', of.id);
        for (const row of rows as readonly Row<Artifact>[]) {
          // What was written for it hangs on what is no more.
          const { grantId = '' } = opened.open('authorization_codes', row);
          const sessions = await store.find('sessions', 'accountId', of.id);
          t.true(sessions.rows.length === 0 || (await store.get('grants', sha256(grantId))) === undefined);
        }
      }
    }
  });
}

test.serial('whoever changes their password that moment stays signed in where they do it', async (t) => {
  const { store, domain } = postern;
  const of = await somebody();
  const [here] = (await store.find('sessions', 'accountId', of.id)).rows;
  const meeting = committing(async (changes) => {
    await domain.accounts.setPassword(of.id, 'quite another long one 88', { exceptSession: here?.record.uid });
    await store.commit(changes);
  });
  const { url } = await shortWaysOf(t, { ...postern, store: meeting });
  t.is((await send(url, (await of.ask()).sent)).status, 418);
  t.deepEqual((await store.find('authorization_codes', 'accountId', of.id)).rows, []);
  t.truthy((await of.agent.get((await of.ask()).asked.url)).left?.searchParams.get('code'), 'signed in');
  await domain.accounts.setDisabled(of.id, true);
  t.deepEqual((await store.find('sessions', 'accountId', of.id)).rows, []);
});

test.serial('whatever code came out while access was taken away is good for nothing afterwards', async (t) => {
  for (const [fact, end] of ENDS.slice(0, 5)) {
    for (const age of AGES) {
      const of = await somebody(age);
      const tabs = await Promise.all(
        Array.from({ length: 8 }, async (_, n) => {
          const { asked, sent } = await of.ask();
          return { asked, sent: { ...sent, path: n % 2 ? '/authorize' : wholeWay('/authorize') } };
        }),
      );
      const answers = tabs.map(async ({ asked, sent }) => ({ asked, ...(await send(postern.url, sent)) }));
      await end(of, postern.domain);
      for (const { asked, headers } of await Promise.all(answers)) {
        const left = URL.parse(String(headers['location']));
        if (left?.searchParams.has('code')) await t.throwsAsync(redeem(asked, left), undefined, fact);
      }
    }
  }
});

test.serial('of twelve tabs at once, by both ways mixed, each gets a code that works', async (t) => {
  for (const age of AGES) {
    const of = await somebody(age);
    const tabs = await Promise.all(Array.from({ length: 12 }, () => of.ask()));
    const answers = await Promise.all(
      tabs.map(async ({ asked }, n) => {
        const { pathname, search } = asked.url;
        return of.agent.get(`${n % 2 ? pathname : wholeWay(pathname)}${search}`);
      }),
    );
    const codes = new Set(answers.map(({ left }) => left?.searchParams.get('code')));
    t.is(codes.size, 12);
    for (const [n, { asked }] of tabs.entries()) t.truthy((await redeem(asked, answers[n]!.left!)).access_token);
  }
});

test.serial('what a failing store may have done is not begun again', async (t) => {
  const { sent } = await (await somebody()).ask();
  const failing = committing(() => Promise.reject(new StoreUnavailable('nobody knows')));
  t.is((await send((await shortWaysOf(t, { ...postern, store: failing })).url, sent)).status, 503);
});

test.serial('an answer that cannot be sent is told as a failure, and ends no process', async (t) => {
  const { sent } = await (await somebody()).ask();
  const { url } = await shortWaysOf(t, postern, undefined, { headers: () => ['X-Impossible', 'a\nb'] });
  t.is((await send(url, sent)).status, 503);
});

test.serial('whose network begins too many sign-ins is left to the whole way, which says so', async (t) => {
  const { sent } = await (await somebody()).ask();
  const { url } = await shortWaysOf(t, postern, { begin: () => seconds(1) });
  const { status, text } = await send(url, sent);
  t.deepEqual([status, text], [418, digest('')]);
});

test.serial('a client of which something is stored that is not known here is left to the whole way', async (t) => {
  const { client, ask } = await somebody();
  const { sent } = await ask();
  const { store } = postern;
  const { record, version } = (await store.get('clients', client.id))!;
  const { url } = await shortWaysOf(t, postern);
  t.is((await send(url, sent)).status, 303);
  await store.commit([
    { put: 'clients', id: client.id, record: { ...record, unknown: 'word' } as never, expect: version },
  ] satisfies Change[]);
  t.is((await send(url, sent)).status, 418);
});

test.serial('on https too a browser is told to keep the same cookies either way', async (t) => {
  const https = await startPostern({ env: { POSTERN_ISSUER: 'https://id.example.test' } });
  t.teardown(() => https.close());
  const issuer = 'https://id.example.test';
  await addPerson(https);
  const { id } = await addClient(https, { firstParty: true });
  const agent = new UserAgent(issuer);
  agent.through = https.url;
  const query = {
    client_id: id,
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope: 'openid',
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
  };
  await signIn(agent, await agent.get(`/authorize?${new URLSearchParams(query)}`));
  const sent: Sent = {
    method: 'GET',
    path: '/authorize',
    query: Object.entries(query),
    headers: { cookie: agent.cookieHeader('/authorize'), accept: 'text/html' },
  };
  t.is((await send((await shortWaysOf(t, https)).url, sent)).status, 303);
  const short = await send(https.url, sent);
  const whole = await send(https.url, { ...sent, path: wholeWay(sent.path) });
  t.regex(String(short.headers['set-cookie']), /^__Host-postern\.session=.*; secure/);
  t.deepEqual(inBrowser(short, ''), inBrowser(whole, ''));
});
