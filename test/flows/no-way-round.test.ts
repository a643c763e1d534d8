/** A second factor cannot be gone round: not by a form left out or sent again, another tab, a reset, or something begun before. */
import test from 'ava';
import { minutes } from '../../src/lib/index.ts';
import { redeem } from '../support/client.ts';
import { pass } from '../support/clock.ts';
import { addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { begin, beginAs, giveApp, RECOVERY_CODES } from '../support/second-factor.ts';
import type { Answer } from '../support/user-agent.ts';

let postern: Postern;
test.before(async () => {
  postern = await startPostern();
});
test.after.always(() => postern?.close());

let people = 0;

/** Somebody with an app, whose password was just typed. */
async function halfway(parameters: Record<string, string> = {}) {
  const person = await addPerson(postern, `p${++people}@example.com`);
  const app = await giveApp(postern, person);
  const begun = await beginAs(postern, person.email, { terms: { firstParty: false }, parameters });
  return { person, app, ...begun };
}

const uidOf = ({ url }: Answer): string => new URL(url).pathname.split('/')[2]!;
const tokenOf = ({ html }: Answer): string => /name="csrf" value="([^"]*)"/.exec(html)?.[1] ?? '';

test.serial('forms of later steps, sent before their time, lead back to the one that is missing', async (t) => {
  const { agent, answer } = await halfway();
  const uid = uidOf(answer);
  for (const [step, fields] of [
    ['consent', { decision: 'allow' }],
    ['recovery-codes', { set: '' }],
    ['enrol', { code: '000000', enrolment: 'x' }],
    ['enrol', { passkey: '{}' }],
    ['link', { decision: 'link' }],
    ['login', { email: 'nobody@example.com', password: 'x' }],
  ] as const) {
    const form = new URLSearchParams({ ...fields, csrf: tokenOf(answer) });
    const next = await agent.post(`/interaction/${uid}/${step}`, form);
    t.true(next.page === 'second-factor' || next.status === 403, `${step}: ${next.page} ${next.status}`);
    t.is(next.left, undefined);
  }
  t.is((await agent.get(`/interaction/${uid}`)).page, 'second-factor');
  t.is((await agent.get(`/authorize/${uid}`)).page, 'login', 'the engine begins anew, and what was proven is gone');
});

test.serial(
  'the password alone signs in nobody: not here in another tab, not silently, not for another application',
  async (t) => {
    const { agent } = await halfway();
    const silent = await begin(postern, { agent, parameters: { prompt: 'none' } });
    t.is(silent.answer.left?.searchParams.get('error'), 'login_required');
    const tab = await begin(postern, { agent });
    t.is(tab.answer.page, 'login');
  },
);

test.serial(
  'a form that was answered is worth nothing when it is sent again, here or in another browser',
  async (t) => {
    const { person, app, agent, answer } = await halfway();
    const code = app.fresh();
    t.is((await agent.submit(answer, { code })).page, 'consent');
    const again = await agent.submit(answer, { code });
    t.is(again.page, 'consent', 'it was answered: the next step, and nothing twice');
    const thief = await beginAs(postern, person.email);
    t.is((await thief.agent.submit(thief.answer, { code })).page, 'second-factor', 'the code was used');
    const foreign = await thief.agent.post(
      new URL(answer.url).pathname,
      new URLSearchParams({ csrf: tokenOf(answer), code: RECOVERY_CODES[0]! }),
    );
    t.true(foreign.status >= 400, 'nor does one browser answer for another');
    t.truthy((await thief.agent.submit(thief.answer, { code: RECOVERY_CODES[0]! })).left, 'the code is still good');
  },
);

test.serial(
  'what began with a password that was changed meanwhile, or longer than a quarter of an hour ago, begins anew',
  async (t) => {
    const changed = await halfway();
    await postern.domain.accounts.setPassword(changed.person.id, 'another one entirely');
    t.is((await changed.agent.submit(changed.answer, { code: changed.app.fresh() })).page, 'login');
    const slow = await halfway();
    pass(minutes(16));
    t.is((await slow.agent.submit(slow.answer, { code: slow.app.fresh() })).page, 'login');
  },
);

test.serial(
  'who is disabled or loses their factors halfway begins anew, and gets nowhere or proves what is left',
  async (t) => {
    const disabled = await halfway();
    await postern.domain.accounts.setDisabled(disabled.person.id, true);
    t.is((await disabled.agent.submit(disabled.answer, { code: disabled.app.fresh() })).page, 'login');
    const reset = await halfway();
    await postern.domain.factors.reset(reset.person.id);
    t.is((await reset.agent.submit(reset.answer, { code: reset.app.fresh() })).page, 'login');
  },
);

test.serial('a password that was reset by mail keeps the second factor, and is no first one', async (t) => {
  const { person, app } = await halfway();
  const { domain, store } = postern;
  const { secret, changes } = await domain.links.issue({ purpose: 'reset-password', person });
  await store.commit([...changes]);
  await domain.recovery.resetPassword(secret, 'chosen by whoever reads the mail');
  const { agent, asked, answer } = await begin(postern);
  const next = await agent.submit(answer, { email: person.email, password: 'chosen by whoever reads the mail' });
  t.is(next.page, 'second-factor');
  const { left } = await agent.submit(next, { code: app.fresh() });
  t.is((await redeem(asked, left!)).claims()?.sub, person.id);
  t.is((await beginAs(postern, person.email)).answer.page, 'login', `${PASSWORD} is not theirs any more`);
});

test.serial(
  'wrong codes of every kind and wrong passwords of one account are counted together, whichever form they come by',
  async (t) => {
    const strict = await startPostern({ env: { POSTERN_GUESSES_ACCOUNT: '4' } });
    t.teardown(() => strict.close());
    const person = await addPerson(strict);
    const app = await giveApp(strict, person);
    const { agent, answer } = await beginAs(strict, person.email);
    await agent.submit(answer, { code: '000000' });
    await agent.submit(answer, { code: 'AAAA-BBBB-CCCC' });
    await agent.submit(answer, { code: '00000000' });
    const login = await begin(strict);
    await login.agent.submit(login.answer, { email: person.email, password: 'wrong' });
    const full = await agent.submit(answer, { code: app.fresh() });
    t.is(full.status, 429, 'a right code too');
    t.true(Number(full.headers.get('retry-after')) > 0);
    t.is((await login.agent.submit(login.answer, { email: person.email, password: PASSWORD })).status, 429);
  },
);
