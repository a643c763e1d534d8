import { hash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import * as oidc from 'openid-client';
import type { Person } from '../../src/domain/index.ts';
import { seconds, sha256 } from '../../src/lib/index.ts';
import { authorize, discover, redeem, request, signIn } from '../support/client.ts';
import { pass } from '../support/clock.ts';
import { cutOff, unread } from '../support/cut-off.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { beginAs, giveApp } from '../support/second-factor.ts';
import { type Answer, UserAgent } from '../support/user-agent.ts';

/** The answer that brings a sign-in to its end is lost on its way: by the second of two clicks, or in a tunnel. */
let postern: Postern;
test.before(async () => {
  postern = await startPostern();
});
test.after.always(() => postern.close());

let count = 0;
const person = (name?: string) => addPerson(postern, `p${++count}@example.com`, name);
const ALLOW = { name: 'decision', value: 'allow' };
const codesOf = async ({ id }: { readonly id: string }) =>
  (await postern.store.find('authorization_codes', 'accountId', id)).rows;
const sessionsOf = async ({ id }: { readonly id: string }) =>
  (await postern.store.find('sessions', 'accountId', id)).rows;

/** A browser at the sign-in page of an application that needs no consent, or of one that does. */
async function begun({
  firstParty = true,
  agent = new UserAgent(postern.issuer),
  parameters = {} as Record<string, string>,
} = {}) {
  const asked = await request(await discover(postern, await addClient(postern, { firstParty })), parameters);
  return { agent, asked, page: await agent.get(asked.url) };
}

/** Sends a form, and the answer that brings the code is lost. */
async function lost(agent: UserAgent, who: { readonly id: string }, sending: (agent: UserAgent) => Promise<Answer>) {
  const before = (await codesOf(who)).length;
  return cutOff(agent, sending, async () => (await codesOf(who)).length > before);
}

/** Whether the browser is signed in: nobody is asked anything. */
async function isSignedIn(agent: UserAgent): Promise<boolean> {
  const asked = await request(await discover(postern, await addClient(postern, { firstParty: true })), {
    prompt: 'none',
  });
  return (await agent.get(asked.url)).left?.searchParams.has('code') === true;
}

test.serial('a double click on “Sign in” whose first answer is lost signs in once and arrives', async (t) => {
  const p = await person();
  const { agent, asked, page } = await begun();
  const click = () => agent.submit(page, { email: p.email, password: PASSWORD });
  await lost(agent, p, click);
  const { left, page: shown } = await click();
  t.is(shown, undefined);
  t.is((await redeem(asked, left!)).claims()?.sub, p.id);
  t.is((await sessionsOf(p)).length, 1);
  t.true(await isSignedIn(agent));
});

test.serial('… on “Allow”, signed in a moment ago', async (t) => {
  const p = await person();
  const { agent, asked, page } = await begun({ firstParty: false });
  const consent = await agent.submit(page, { email: p.email, password: PASSWORD });
  t.is(consent.page, 'consent');
  const click = () => agent.submit(consent, {}, ALLOW);
  await lost(agent, p, click);
  t.is((await redeem(asked, (await click()).left!)).claims()?.sub, p.id);
  t.true(await isSignedIn(agent));
});

test.serial('… on “Allow”, signed in long ago: the session is not lost with its new name', async (t) => {
  const p = await person();
  const agent = new UserAgent(postern.issuer);
  await authorize(postern, await addClient(postern, { firstParty: true }), {}, agent, p.email);
  const { asked, page: consent } = await begun({ firstParty: false, agent });
  t.is(consent.page, 'consent');
  const click = () => agent.submit(consent, {}, ALLOW);
  await lost(agent, p, click);
  t.is((await redeem(asked, (await click()).left!)).claims()?.sub, p.id);
  t.is((await sessionsOf(p)).length, 1);
  t.true(await isSignedIn(agent));
});

test.serial('… on the code of a second factor, which is good once', async (t) => {
  const p = await person();
  const app = await giveApp(postern, p);
  const { agent, asked, answer } = await beginAs(postern, p.email);
  t.is(answer.page, 'second-factor');
  const code = app.code();
  const click = () => agent.submit(answer, { code });
  await lost(agent, p, click);
  t.is((await redeem(asked, (await click()).left!)).claims()?.sub, p.id);
  t.true(await isSignedIn(agent));
});

test.serial('reloading the page that did not come gets what it would have brought', async (t) => {
  const p = await person();
  const { agent, asked, page } = await begun();
  const there = await lost(agent, p, () => agent.submit(page, { email: p.email, password: PASSWORD }));
  await unread(agent, there, async () => true);
  t.is((await redeem(asked, (await agent.get(there)).left!)).claims()?.sub, p.id);
  t.true(await isSignedIn(agent));
});

test.serial('what was answered is given to nobody who knows the interaction but sent no form of it', async (t) => {
  const p = await person();
  const { agent, page } = await begun();
  // Whoever planted the cookies that the interaction began with has them too.
  const other = agent.planted();
  const there = await lost(agent, p, () => agent.submit(page, { email: p.email, password: PASSWORD }));
  for (const url of [page.url, there, `${page.url}/again`]) {
    const answer = await other.get(url);
    t.false(answer.left?.searchParams.has('code') ?? false, String(url));
    t.false(await isSignedIn(other));
  }
  t.is((await other.submit(page, { email: p.email, password: 'wrong' })).page, 'answered');
  const stranger = new UserAgent(postern.issuer);
  t.is((await stranger.get(page.url)).page, 'error');
  t.truthy((await agent.submit(page, { email: p.email, password: PASSWORD })).left, 'its own browser is');
});

test.serial(
  'whoever planted the cookies that a sign-in began with does not get it, however fast they are',
  async (t) => {
    const p = await person();
    for (const parameters of [{}, { state: 'x'.repeat(2000) }]) {
      const { agent: planter, page } = await begun({ parameters });
      const agent = planter.planted();
      agent.stopsBefore = '/authorize/';
      const there = (await agent.submit(page, { email: p.email, password: PASSWORD })).left!;
      agent.stopsBefore = undefined;
      const taken = await planter.get(there);
      t.is(taken.left, undefined);
      t.false(await isSignedIn(planter));
      t.true((await agent.get(there)).left?.searchParams.has('code'), 'whose it is');
      t.true(await isSignedIn(agent));
    }
  },
);

test.serial('whoever plants a sign-in of their own, finished or not, signs nobody in as them', async (t) => {
  const p = await person();
  const own = new Map<string, () => Promise<{ readonly planter: UserAgent; readonly at: string }>>([
    [
      'finished',
      async () => {
        const { agent: planter, page } = await begun();
        planter.stopsBefore = '/authorize/';
        const { left } = await planter.submit(page, { email: p.email, password: PASSWORD });
        planter.stopsBefore = undefined;
        return { planter, at: left!.href };
      },
    ],
    [
      'finished, its answer lost',
      async () => {
        const { agent: planter, page } = await begun();
        const at = await lost(planter, p, () => planter.submit(page, { email: p.email, password: PASSWORD }));
        return { planter, at: at.href };
      },
    ],
    [
      'at the consent',
      async () => {
        const { agent: planter, page } = await begun({ firstParty: false });
        return { planter, at: (await planter.submit(page, { email: p.email, password: PASSWORD })).url };
      },
    ],
    [
      'at the second factor',
      async () => {
        const other = await person();
        await giveApp(postern, other);
        const { agent: planter, answer } = await beginAs(postern, other.email);
        return { planter, at: answer.url };
      },
    ],
  ]);
  for (const [how, begin] of own) {
    const { planter, at } = await begin();
    const agent = planter.planted();
    const victim = await person();
    const answer = await agent.get(at);
    t.is(answer.page, 'login', how);
    t.notRegex(answer.html, new RegExp(p.email), how);
    t.true((await signIn(agent, answer, victim.email)).left?.searchParams.has('code'), how);
    t.is((await sessionsOf(victim)).length, 1, how);
    t.false((await planter.get(at)).page === 'login', `${how}: whose it is goes on`);
  }
});

test.serial('… for another interaction of the same browser', async (t) => {
  const p = await person();
  const { agent, page } = await begun();
  const { page: other } = await begun({ agent });
  await lost(agent, p, () => agent.submit(page, { email: p.email, password: PASSWORD }));
  const [one, two] = [page, other].map(({ url }) => `postern.request ${new URL(url).pathname}`);
  agent.cookies.set(two!, { ...agent.cookies.get(one!)!, path: new URL(other.url).pathname });
  t.is((await agent.get(other.url)).page, 'login');
});

test.serial('… once its code was redeemed', async (t) => {
  const p = await person();
  const { agent, asked, page } = await begun();
  const click = () => agent.submit(page, { email: p.email, password: PASSWORD });
  await lost(agent, p, click);
  const { left } = await click();
  const tokens = await redeem(asked, left!);
  agent.cookies.delete('postern.session /');
  t.is((await click()).page, 'login');
  t.truthy((await oidc.refreshTokenGrant(asked.config, tokens.refresh_token!)).access_token, 'no code was given twice');
});

test.serial('… once the session has ended, or the person was disabled', async (t) => {
  for (const end of [
    ({ id }: Person) => postern.domain.sessions.endForAccount(id),
    ({ id }: Person) => postern.domain.accounts.setDisabled(id, true),
    ({ id }: Person) => postern.domain.accounts.setPassword(id, 'another long password'),
  ]) {
    const p = await person();
    const { agent, page } = await begun();
    const click = () => agent.submit(page, { email: p.email, password: PASSWORD });
    await lost(agent, p, click);
    await end(p);
    t.is((await click()).page, 'login');
    t.false(await isSignedIn(agent));
  }
});

test.serial('… where somebody else has signed in on this browser meanwhile', async (t) => {
  const [ada, grace] = [await person(), await person('Grace')];
  const { agent, page } = await begun();
  const click = () => agent.submit(page, { email: ada.email, password: PASSWORD });
  await lost(agent, ada, click);
  await authorize(postern, await addClient(postern, { firstParty: true }), {}, agent, grace.email);
  t.is((await click()).page, 'choose');
});

test.serial('… who signed out', async (t) => {
  const p = await person();
  const { agent, page } = await begun();
  const click = () => agent.submit(page, { email: p.email, password: PASSWORD });
  await lost(agent, p, click);
  t.true((await click()).left?.searchParams.has('code'));
  await agent.submit(await agent.get('/logout'), {}, { name: 'logout', value: 'yes' });
  for (const answer of [await click(), await agent.get(`${page.url}/again`)]) t.is(answer.page, 'login');
  t.false(await isSignedIn(agent));
});

test.serial('… a little later: they sign in again', async (t) => {
  const p = await person();
  const { agent, asked, page } = await begun();
  const click = () => agent.submit(page, { email: p.email, password: PASSWORD });
  await lost(agent, p, click);
  pass(seconds(11));
  const answered = await agent.get(page.url);
  t.is(answered.page, 'answered');
  const [, again = ''] = /<a class="plain" href="([^"]*)"/.exec(answered.html) ?? [];
  const { left } = await signIn(agent, await agent.get(again), p.email);
  t.is((await redeem(asked, left!)).claims()?.sub, p.id);
});

test.serial('an answer that is a form of its own is given again as it was', async (t) => {
  const p = await person();
  const { agent, page } = await begun({ parameters: { response_mode: 'form_post' } });
  const click = () => agent.submit(page, { email: p.email, password: PASSWORD });
  await lost(agent, p, click);
  const { status, html, headers } = await click();
  t.is(status, 200);
  t.regex(html, /<input type="hidden" name="code" value="[\w-]{43}"/);
  const script = /<script>([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
  const policy = headers.get('content-security-policy') ?? '';
  t.true(policy.includes(`'sha256-${hash('sha256', script, 'base64')}'`));
  t.notRegex(policy, /form-action/);
  t.true(await isSignedIn(agent));
});

test.serial('an answer that led on to another step is given again as it was', async (t) => {
  const p = await person();
  const { agent, asked, page } = await begun();
  const click = () => agent.submit(page, { email: p.email, password: PASSWORD });
  agent.stopsBefore = '/authorize/';
  const there = (await click()).left!;
  agent.stopsBefore = undefined;
  // Whoever signs in has more to prove from here on.
  const app = await giveApp(postern, p);
  await unread(agent, there, async () => (await sessionsOf(p)).length > 0);
  const factor = await click();
  t.is(factor.page, 'second-factor');
  t.is((await redeem(asked, (await agent.submit(factor, { code: app.code() })).left!)).claims()?.sub, p.id);
});

const CANCEL = { name: 'decision', value: 'deny' };

/** A page of an interaction that can be cancelled, for whoever is signed in already or nobody. */
async function cancellable(step: string, parameters: Record<string, string> = {}) {
  const p = await person();
  const agent = new UserAgent(postern.issuer);
  if (step.includes('signed in'))
    await authorize(postern, await addClient(postern, { firstParty: true }), {}, agent, p.email);
  const { page } = await begun({ agent, firstParty: false, parameters });
  const at = step === 'consent' ? await agent.submit(page, { email: p.email, password: PASSWORD }) : page;
  const uid = new URL(at.url).pathname.split('/')[2]!;
  const isOver = async () => (await postern.store.get('interactions', sha256(uid))) === undefined;
  const cancel = () => agent.submit(at, {}, CANCEL);
  return { p, agent, page: at, cancel, isOver };
}

const refusedWith = ({ left }: Answer): string | null | undefined => left?.searchParams.get('error');

test.serial(
  'a double click on “Cancel” takes back to the application once more, whichever answer arrives',
  async (t) => {
    for (const step of ['login', 'consent', 'consent, signed in long ago']) {
      const { agent, page, cancel, isOver } = await cancellable(step, { state: 'of the app' });
      t.is(page.page, step.split(',')[0], step);
      await cutOff(agent, cancel, isOver);
      for (const click of ['instead of the first', 'after it']) {
        const { left } = await cancel();
        t.is(left?.searchParams.get('error'), 'access_denied', `${step}, ${click}`);
        t.is(left?.searchParams.get('state'), 'of the app');
      }
    }
  },
);

test.serial('… and so does reloading the page that did not come', async (t) => {
  const { agent, cancel, isOver } = await cancellable('login');
  const there = await cutOff(agent, cancel, isOver);
  await unread(agent, there, async () => true);
  t.is(refusedWith(await agent.get(there)), 'access_denied');
});

test.serial('… where it is a form of its own, too', async (t) => {
  const { cancel } = await cancellable('login', { response_mode: 'form_post' });
  for (const { html } of [await cancel(), await cancel()])
    t.regex(html, /<input type="hidden" name="error" value="access_denied"/);
});

test.serial('whoever cancelled and then wants to sign in after all is not cancelled again', async (t) => {
  const { p, agent, page, cancel } = await cancellable('login');
  t.is(refusedWith(await cancel()), 'access_denied');
  const back = await agent.get(page.url);
  t.is(back.page, 'answered');
  t.is((await agent.submit(page, { email: p.email, password: PASSWORD })).page, 'answered');
  const [, again = ''] = /<a class="plain" href="([^"]*)"/.exec(back.html) ?? [];
  t.is((await agent.get(again)).page, 'login');
});

test.serial('of two different buttons whose first led nowhere, the second counts', async (t) => {
  const { p, agent, page } = await cancellable('login');
  const ledNowhere = async (at: Answer) => {
    agent.stopsBefore = '/authorize/';
    await agent.submit(at, {}, CANCEL);
    agent.stopsBefore = undefined;
  };
  await ledNowhere(page);
  const consent = await agent.submit(page, { email: p.email, password: PASSWORD });
  t.is(consent.page, 'consent');
  await ledNowhere(consent);
  t.true((await agent.submit(consent, {}, ALLOW)).left?.searchParams.has('code'));
});

test.serial(
  'a “Cancel” a little later, or in a browser that has no more than its cookies, finds it answered',
  async (t) => {
    const { agent, page, cancel } = await cancellable('login');
    const other = agent.planted();
    await cancel();
    t.is((await other.submit(page, {}, CANCEL)).page, 'answered');
    pass(seconds(11));
    t.is((await cancel()).page, 'answered');
  },
);

test.serial('a second “Cancel” at any moment of the first one’s way ends where that one was going', async (t) => {
  for (let trial = 0; trial < 60; trial += 1) {
    const { agent, cancel } = await cancellable(trial % 2 ? 'login' : 'consent');
    agent.stopsBefore = '/authorize/';
    const there = (await cancel()).left!;
    agent.stopsBefore = undefined;
    const first = unread(agent, there, () => pause(trial % 10).then(() => true));
    await pause((trial * 7) % 13);
    t.is(refusedWith(await cancel()), 'access_denied', `${trial}`);
    await first;
  }
});

test.serial(
  'a second click at any moment of the first one’s way ends where that one was going, each of 100 times',
  async (t) => {
    const p = await person();
    for (let trial = 0; trial < 100; trial += 1) {
      const { agent, asked, page } = await begun({ firstParty: trial % 2 === 0 });
      const form = trial % 2 === 0 ? page : await agent.submit(page, { email: p.email, password: PASSWORD });
      const click = () =>
        trial % 2 === 0 ? agent.submit(form, { email: p.email, password: PASSWORD }) : agent.submit(form, {}, ALLOW);
      agent.stopsBefore = '/authorize/';
      const there = (await click()).left!;
      agent.stopsBefore = undefined;
      const first = unread(agent, there, () => pause(trial % 10).then(() => true));
      await pause((trial * 7) % 13);
      const { left, page: shown } = await click();
      t.is(shown, undefined, `${trial}`);
      await first;
      t.is((await redeem(asked, left!)).claims()?.sub, p.id);
      t.true(await isSignedIn(agent), `${trial}`);
    }
  },
);
