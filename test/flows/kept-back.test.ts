/** A sign-in that was proven, and that the browser keeps back until all that the person had has ended. */
import test from 'ava';
import type { Domain } from '../../src/domain/index.ts';
import { discover, redeem, request } from '../support/client.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { type Answer, UserAgent } from '../support/user-agent.ts';

let postern: Postern;
test.before(async () => {
  postern = await startPostern();
});
test.after.always(() => postern?.close());

const ANOTHER = 'quite another long one 88';

const ENDS: readonly (readonly [
  fact: string,
  end: (id: string, domain: Domain) => Promise<unknown>,
  password: string,
])[] = [
  ['has another password', (id, { accounts }) => accounts.setPassword(id, ANOTHER), ANOTHER],
  [
    'was disabled for a while',
    async (id, { accounts }) => {
      await accounts.setDisabled(id, true);
      await accounts.setDisabled(id, false);
    },
    PASSWORD,
  ],
  ['has lost all factors', (id, { factors }) => factors.reset(id), PASSWORD],
];

let people = 0;

/** Somebody at the sign-in page of an application. */
async function begin(terms: Parameters<typeof addClient>[1]) {
  const person = await addPerson(postern, `kept-back-${people++}@example.com`);
  const agent = new UserAgent(postern.issuer);
  const asked = await request(await discover(postern, await addClient(postern, terms)));
  return { ...person, agent, asked, page: await agent.get(asked.url) };
}

/** Sends the sign-in form, and gives where the browser should go next: it does not go there. */
async function signInAndStay(agent: UserAgent, { html }: Answer, email: string): Promise<string> {
  const [, action = ''] = /<form[^>]*action="([^"]*)"/.exec(html) ?? [];
  const [, csrf = ''] = /name="csrf" value="([^"]*)"/.exec(html) ?? [];
  const { headers } = await fetch(new URL(action, postern.issuer), {
    method: 'POST',
    redirect: 'manual',
    headers: { accept: 'text/html', cookie: agent.cookieHeader(action) },
    body: new URLSearchParams({ csrf, email, password: PASSWORD }),
  });
  return headers.get('location')!;
}

const sessionsOf = async (id: string) => (await postern.store.find('sessions', 'accountId', id)).rows;

for (const [fact, end, password] of ENDS) {
  test(`whoever ${fact} by the time the browser goes on is signed in by nothing that was proven before`, async (t) => {
    const { id, email, agent, asked, page } = await begin({ firstParty: true });
    const next = await signInAndStay(agent, page, email);
    t.regex(next, /\/authorize\//, 'everything was proven');
    await end(id, postern.domain);
    const answer = await agent.get(next);
    t.is(answer.page, 'login');
    t.deepEqual(await sessionsOf(id), []);
    t.is((await agent.get('/account')).page, 'login');
    const { left } = await agent.submit(answer, { email, password });
    t.is((await redeem(asked, left!)).claims()?.sub, id, 'and signs in as anybody does');
  });

  test(`whoever ${fact} by the time they allow something has allowed nothing`, async (t) => {
    const { id, email, agent, asked, page } = await begin({});
    const consent = await agent.submit(page, { email, password: PASSWORD });
    t.is(consent.page, 'consent');
    await end(id, postern.domain);
    const answer = await agent.press(consent, 'Allow');
    t.is(answer.page, 'login');
    t.deepEqual(await postern.domain.consents.allForAccount(id), []);
    t.deepEqual(await sessionsOf(id), []);
    const { left } = await agent.press(await agent.submit(answer, { email, password }), 'Allow');
    t.is((await redeem(asked, left!)).claims()?.sub, id);
  });
}
