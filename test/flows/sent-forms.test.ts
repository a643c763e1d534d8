/** Two clicks on one form, each through another process: done once, and both are answered as the first. */
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { formOf } from '../../src/http/index.ts';
import { hours, Refusal, seconds } from '../../src/lib/index.ts';
import { signIn } from '../support/client.ts';
import { pass } from '../support/clock.ts';
import { atDesk } from '../support/operators.ts';
import { CALLBACK, type Postern, startPostern } from '../support/postern.ts';
import { type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';
import { startProcess } from '../support/server-process.ts';
import { until } from '../support/until.ts';
import { type Answer, UserAgent } from '../support/user-agent.ts';

let databases: DatabaseServer;
test.before(async () => {
  databases = await startDatabaseServer();
});
test.after.always(() => databases?.remove());

interface SetUp {
  readonly postern: Postern;
  /** Where its servers listen, each a process of its own. */
  readonly urls: readonly string[];
  close(): Promise<void>;
}

const SET_UPS: Readonly<Record<string, () => Promise<SetUp>>> = {
  async 'the file store'() {
    const postern = await startPostern();
    return { postern, urls: [postern.url], close: () => postern.close() };
  },
  async 'PostgreSQL, two processes'() {
    const { url: database } = await databases.create();
    const postern = await startPostern({ env: { POSTERN_DATABASE_URL: database } });
    const { issuer, folder } = postern;
    const env = { POSTERN_DATABASE_URL: database, POSTERN_ISSUER: issuer };
    const other = await startProcess({ folder, env });
    return {
      postern,
      urls: [postern.url, other.url],
      async close() {
        await other.kill();
        await postern.close();
      },
    };
  },
};

const field = ({ html }: Answer, id: string) => new RegExp(`<textarea id="${id}"[^>]*>\\n?([^<]*)`).exec(html)?.[1];
const web = (name: string) => ({ type: 'web', name, redirect_uris: CALLBACK });

/** Several clicks on one button in one browser, so many milliseconds apart, through one server after the other. */
function clicks({
  agent,
  page,
  urls,
  says,
}: {
  agent: UserAgent;
  page: Answer;
  urls: readonly string[];
  says: string;
}) {
  return (fields: Record<string, string>, after: readonly number[] = [0, 0]) =>
    Promise.all(
      after.map(async (late, i) => {
        const each = new UserAgent(agent.origin);
        for (const [name, cookie] of agent.cookies) each.cookies.set(name, cookie);
        each.through = urls[i % urls.length];
        await pause(late);
        return each.press(page, says, fields);
      }),
    );
}

const TRIALS = 13;

async function each(t: ExecutionContext, { postern, urls }: SetUp) {
  const { domain } = postern;
  const { agent } = await atDesk(postern);
  const at = async (path: string, says: string) => clicks({ agent, page: await agent.get(path), urls, says });
  const clients = async () => (await domain.clients.list()).clients;

  for (let trial = 0; trial < TRIALS; trial += 1) {
    const before = await clients();
    const add = await at('/admin/applications/new', 'Add it');
    const answers = await add(web(`Twice ${trial}`), [0, 0, 2 * trial, 60]);
    t.deepEqual(
      answers.map(({ page }) => page),
      answers.map(() => 'admin-once'),
    );
    t.is((await clients()).length, before.length + 1);
    const [id, ...ids] = new Set(answers.map((answer) => field(answer, 'id')));
    const [secret, ...secrets] = new Set(answers.map((answer) => field(answer, 'once')));
    t.deepEqual([...ids, ...secrets], []);
    t.true(domain.clients.verifySecret((await domain.clients.get(id!))!, secret!));

    const rotate = await at(`/admin/applications/${id}`, 'Make a new secret');
    const rotated = new Set((await rotate({ keep: '0' })).map((answer) => field(answer, 'once')));
    t.is(rotated.size, 1);
    // Where the other process made it, this one hears of it in a moment.
    await until(async () => domain.clients.verifySecret((await domain.clients.get(id!))!, [...rotated][0]!));

    const uri = `https://api${trial}.example`;
    for (const { status, html } of await (await at('/admin/apis/new', 'Add it'))({ uri })) {
      t.is(status, 200);
      t.regex(html, /role="status"/);
    }

    const there = { id: `git${trial}`, client_id: 'us', client_secret: 'a secret there', name: 'Git' };
    for (const { status, html } of await (await at('/admin/upstreams/new?kind=github', 'Add it'))(there)) {
      t.is(status, 200);
      t.regex(html, /The provider is added/);
    }
    for (const { status, html } of await (await at(`/admin/upstreams/git${trial}/remove`, 'Remove'))({})) {
      t.is(status, 200);
      t.regex(html, /The provider is removed/);
    }

    const email = `p${trial}@example.com`;
    const invited = await (await at('/admin/people/new', 'Invite'))({ email, language: 'en' });
    const [link, ...links] = new Set(invited.map((answer) => field(answer, 'once')));
    t.deepEqual(links, []);
    t.is((await new UserAgent(postern.issuer).get(link!.replaceAll('&amp;', '&'))).page, 'join');
  }
}

for (const [name, start] of Object.entries(SET_UPS))
  test.serial(
    `${name}: an application, its secret, an API, a provider and an invitation are made once by two clicks`,
    async (t) => {
      const setUp = await start();
      t.teardown(() => setUp.close());
      await each(t, setUp);
    },
  );

/** Operators of whom each has the page of the same application open, and who press its button at one moment. */
async function atOnce({ postern, urls }: SetUp, path: string, says: string, fields: Record<string, string>) {
  const desks = await Promise.all([0, 1, 2].map(() => atDesk(postern, path)));
  return Promise.all(
    desks.map(({ agent, page }, i) => {
      agent.through = urls[i % urls.length];
      return agent.press(page, says, fields);
    }),
  );
}

for (const [name, start] of Object.entries(SET_UPS)) {
  test.serial(
    `${name}: of operators who make a new secret at one moment each is shown one that is good, or told so`,
    async (t) => {
      const setUp = await start();
      t.teardown(() => setUp.close());
      const { clients } = setUp.postern.domain;
      const { client } = await clients.add({ name: 'Shop', type: 'web', redirectUris: [CALLBACK] });
      for (let trial = 0; trial < TRIALS; trial += 1) {
        const keep = trial % 2 ? '3600' : '0';
        const answers = await atOnce(setUp, `/admin/applications/${client.id}`, 'Make a new secret', { keep });
        const [secret, ...others] = answers.flatMap((answer) => field(answer, 'once') ?? []);
        t.deepEqual(others, [], `${trial}`);
        await until(async () => clients.verifySecret((await clients.get(client.id))!, secret!));
        const told = answers.filter(({ status, html }) => status === 400 && /Somebody else changed/.test(html));
        t.is(told.length, answers.length - 1);
      }
    },
  );
}

test.serial('what was shown once is not shown by reloading it, which makes no other', async (t) => {
  const { postern, close } = await SET_UPS['the file store']!();
  t.teardown(close);
  const { agent, page } = await atDesk(postern, '/admin/applications/new');
  const add = () => agent.press(page, 'Add it', web('Reloaded'));
  const first = await add();
  const [id, secret = ''] = ['id', 'once'].map((each) => field(first, each));
  for await (const { record } of rowsOf(postern)) t.false(JSON.stringify(record).includes(secret));
  pass(seconds(11));
  const later = await add();
  t.is(later.page, 'admin-application');
  t.true(later.url.endsWith(`/admin/applications/${id}`));
  t.false(later.html.includes(secret));
  t.is((await postern.domain.clients.list()).clients.length, 1);
  t.is(
    (await agent.press(page, 'Add it', web('Another'))).page,
    'admin-once',
    'the same page with something else in it',
  );
});

test.serial('… hours later neither, whoever has signed in again meanwhile', async (t) => {
  const { postern, close } = await SET_UPS['the file store']!();
  t.teardown(close);
  const { agent, page, person } = await atDesk(postern, '/admin/applications/new');
  const add = () => agent.press(page, 'Add it', web('Left open'));
  t.is((await add()).page, 'admin-once');
  for (let hour = 0; hour < 12; hour += 1) {
    pass(hours(1));
    await signIn(agent, await agent.get('/admin'), person.email);
    t.is((await add()).page, 'admin-application', `${hour}`);
  }
  t.is((await postern.domain.clients.list()).clients.length, 1);
});

test.serial('a form that was refused can be sent again as it is', async (t) => {
  const { postern, close } = await SET_UPS['the file store']!();
  t.teardown(close);
  const { agent, page } = await atDesk(postern, '/admin/applications/new');
  const uri = 'https://late.example';
  const add = () => agent.press(page, 'Add it', { ...web('Of an API'), apis: uri });
  t.is((await add()).status, 400);
  await postern.domain.resources.add({ uri });
  t.is((await add()).page, 'admin-once');
});

test.serial('… also where it could not be answered, and nobody waits for it', async (t) => {
  const { postern, close } = await SET_UPS['the file store']!();
  t.teardown(close);
  const { sentForms } = postern.domain;
  const form = formOf({ csrf: 'x', name: 'Failed' });
  const fails = () => Promise.reject(new Refusal('user_unknown', 'somebody removed them meanwhile'));
  await t.throwsAsync(sentForms.once(form, fails), { message: /removed them/ });
  const before = performance.now();
  await t.throwsAsync(sentForms.once(form, fails), { message: /removed them/ }, 'told the same');
  t.deepEqual(await sentForms.once(form, async () => ({ to: '/again' })), { to: '/again' });
  t.true(performance.now() - before < seconds(5));
});

test.serial('a form whose server died over it waits for nobody, and can be sent again a little later', async (t) => {
  const { postern, close } = await SET_UPS['the file store']!();
  t.teardown(close);
  const { sentForms } = postern.domain;
  const form = formOf({ csrf: 'x', name: 'Lost' });
  void sentForms.once(form, () => new Promise<undefined>(() => {}));
  await t.throwsAsync(
    sentForms.once(form, async () => ({ to: '/twice' })),
    { message: /not known yet/ },
  );
  pass(seconds(15));
  t.deepEqual(await sentForms.once(form, async () => ({ to: '/again' })), { to: '/again' });
});

const rowsOf = ({ store }: Postern) =>
  (async function* () {
    yield* (await store.find('sent_forms', 'all', '')).rows;
  })();
