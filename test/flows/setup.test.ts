import test from 'ava';
import { hours, seconds } from '../../src/lib/index.ts';
import { signIn } from '../support/client.ts';
import { pass } from '../support/clock.ts';
import { PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { startDatabaseServer } from '../support/postgres.ts';
import { UserAgent } from '../support/user-agent.ts';

const FIRST = { email: 'op@example.com', name: 'Opal Operator', password: PASSWORD };

/** A server that nobody has an account at, and the link it prints. */
async function anew(t: { teardown(undo: () => unknown): void }, env: Record<string, string> = {}) {
  const postern = await startPostern({ env });
  t.teardown(() => postern.close());
  return { postern, link: (await postern.domain.setup.open())! };
}

const people = async ({ domain }: Postern) => (await domain.accounts.list()).people;

test.serial('the printed link makes the first operator, who signs in at once', async (t) => {
  const { postern, link } = await anew(t);
  const agent = new UserAgent(postern.issuer);
  const page = await agent.get(link);
  t.is(page.page, 'setup');
  const done = await agent.submit(page, FIRST);
  t.is(done.page, 'login');
  t.is((await signIn(agent, done, FIRST.email)).page, 'account');
  t.like((await people(postern))[0], { email: FIRST.email, name: FIRST.name, admin: true });
});

test.serial('a second use is refused, by the same link or another, and there is no third to be had', async (t) => {
  const { postern, link } = await anew(t);
  const other = (await postern.domain.setup.open())!;
  const [one, two] = [new UserAgent(postern.issuer), new UserAgent(postern.issuer)];
  const [page, waiting] = [await one.get(link), await two.get(other)];
  t.is(waiting.page, 'setup', 'what another process printed is good as well');
  await one.submit(page, FIRST);
  for (const answer of [
    await two.submit(waiting, { ...FIRST, email: 'second@example.com' }),
    await one.submit(page, { ...FIRST, email: 'third@example.com' }),
    await two.get(link),
    await two.get(other),
  ]) {
    t.is(answer.status, 410);
    t.is(answer.page, 'link-gone');
  }
  t.is((await people(postern)).length, 1);
  t.is(await postern.domain.setup.open(), undefined);
});

test.serial('a double click makes one operator, and goes on to signing in', async (t) => {
  const { postern, link } = await anew(t);
  const agent = new UserAgent(postern.issuer);
  const page = await agent.get(link);
  const answers = await Promise.all(Array.from({ length: 5 }, () => agent.submit(page, FIRST)));
  t.deepEqual(
    answers.map((answer) => answer.page),
    Array(5).fill('login'),
  );
  t.is((await people(postern)).length, 1);
  pass(seconds(11));
  t.is((await agent.submit(page, FIRST)).page, 'link-gone');
});

test.serial('a link is over once anybody has an account, or after a day', async (t) => {
  const { postern, link } = await anew(t);
  const agent = new UserAgent(postern.issuer);
  pass(hours(25));
  t.is((await agent.get(link)).status, 410);
  const later = (await postern.domain.setup.open())!;
  t.is((await agent.get(later)).page, 'setup');
  await postern.domain.accounts.add({ email: 'cli@example.com', password: PASSWORD });
  t.is((await agent.get(later)).status, 410);
});

test.serial('nonsense is told on the page, makes nobody, and uses nothing up', async (t) => {
  const { postern, link } = await anew(t);
  const agent = new UserAgent(postern.issuer);
  const page = await agent.get(link);
  for (const wrong of [
    { email: 'nobody' },
    { email: '' },
    { password: 'short' },
    { password: 'password1234' },
    { password: 'op@example.com' },
    { name: 'x'.repeat(201) },
    { name: 'a\u202Eb' },
  ]) {
    const answer = await agent.submit(page, { ...FIRST, ...wrong });
    t.is(answer.status, 400, JSON.stringify(wrong));
    t.is(answer.page, 'setup');
    t.regex(answer.html, /role="alert"/);
    t.false(answer.html.includes(PASSWORD));
  }
  for (const token of ['', 'x', '__proto__', '/../../setup']) {
    t.is((await agent.get(`/setup?token=${encodeURIComponent(token)}`)).status, 410);
    t.is((await agent.submit(page, { ...FIRST, token })).status, 410);
  }
  t.is((await agent.get('/setup?token=%00')).status, 400);
  t.is((await agent.get('/setup')).status, 410);
  t.is((await agent.get('/setup?token=a&token=b')).status, 410);
  t.is(
    (await new UserAgent(postern.issuer).submit(page, FIRST)).status,
    403,
    'a form that was shown to another browser',
  );
  t.deepEqual(await people(postern), []);
  t.is((await agent.submit(page, FIRST)).page, 'login');
});

for (const [name, database] of [
  ['file store', undefined],
  ['PostgreSQL', startDatabaseServer],
] as const)
  test.serial(`of twenty who use two links at once, one becomes the operator: ${name}`, async (t) => {
    const postgres = await database?.();
    if (postgres) t.teardown(() => postgres.remove());
    const { postern, link } = await anew(t, postgres ? { POSTERN_DATABASE_URL: (await postgres.create()).url } : {});
    const links = [link, (await postern.domain.setup.open())!];
    const ready = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const agent = new UserAgent(postern.issuer);
        return { agent, page: await agent.get(links[i % 2]!), email: `op${i}@example.com` };
      }),
    );
    const answers = await Promise.all(ready.map(({ agent, page, email }) => agent.submit(page, { ...FIRST, email })));
    t.is(answers.filter(({ page }) => page === 'login').length, 1);
    t.is((await people(postern)).length, 1);
  });
