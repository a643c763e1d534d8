import test from 'ava';
import { days } from '../../src/lib/index.ts';
import { redeem, signIn } from '../support/client.ts';
import { pass } from '../support/clock.ts';
import { alertOf, atSignIn, follow, type Mailed, startMailed } from '../support/mailed.ts';
import { addPerson, PASSWORD } from '../support/postern.ts';
import { UserAgent } from '../support/user-agent.ts';

let open: Mailed;
let closed: Mailed;
test.before(async () => {
  [open, closed] = await Promise.all([startMailed({ POSTERN_SIGN_UP: 'open' }), startMailed()]);
});
test.after.always(() => Promise.all([open?.close(), closed?.close()]));

let people = 0;
const address = () => `new${++people}@example.com`;

test.serial('an invitation is good for a week, and the next one ends it', async (t) => {
  const email = address();
  const invitation = { email, locale: 'en' } as const;
  const agent = new UserAgent(closed.postern.issuer);
  const { link: first } = await closed.postern.domain.joins.invite(invitation);
  const { link } = await closed.postern.domain.joins.invite(invitation);
  t.is((await agent.get(first)).page, 'link-gone');
  pass(days(6.9));
  t.is((await agent.get(link)).page, 'join');
  pass(days(0.2));
  t.is((await agent.get(link)).page, 'link-gone');
});

test('whoever is new signs up by the link of a mail, and goes on with the sign-in', async (t) => {
  const email = address();
  const { agent, asked, login } = await atSignIn(open);
  const sent = await agent.submit(await follow(agent, login, '/account/sign-up'), { email });
  t.is(sent.page, 'mail-sent');
  const { link } = await open.mail.next(email);
  t.is(await open.postern.domain.accounts.byEmail(email), undefined, 'nobody is here before the link was used');
  const join = await agent.get(link!);
  t.is(join.page, 'join');
  const done = await agent.submit(join, { name: ' Nora Neu ', password: PASSWORD });
  t.is(done.page, 'done');
  const answer = await signIn(agent, await follow(agent, done, '/interaction/'), email, PASSWORD);
  t.like((await redeem(asked, answer.left!)).claims(), {
    sub: (await open.postern.domain.accounts.byEmail(email))?.id,
  });
  t.like(await open.postern.domain.accounts.byEmail(email), { name: 'Nora Neu', emailVerified: true, admin: false });
  t.is((await agent.get(link!)).page, 'link-gone');
});

test('whoever signs up with an address that has an account is told so by mail alone', async (t) => {
  const { email } = await addPerson(open.postern, address());
  const [theirs, nobodys] = await Promise.all(
    [email, address()].map(async (each) => {
      const agent = new UserAgent(open.postern.issuer);
      const answer = await agent.submit(await agent.get('/account/sign-up'), { email: each });
      return `${answer.status} ${answer.html.replaceAll(each, 'EMAIL')}`;
    }),
  );
  t.is(theirs, nobodys);
  const { subject, link } = await open.mail.next(email);
  t.is(subject, 'You already have an account at Postern');
  t.is(link?.pathname, '/account/forgot');
});

test('of two people with links for one address the first has it; a person who came otherwise meanwhile keeps theirs', async (t) => {
  const email = address();
  const agent = new UserAgent(open.postern.issuer);
  await agent.submit(await agent.get('/account/sign-up'), { email });
  const { link } = await open.mail.next(email);
  const join = await agent.get(link!);
  const person = await addPerson(open.postern, email.toUpperCase());
  t.is((await agent.submit(join, { password: 'somebody else entirely' })).page, 'link-gone');
  t.is((await open.postern.domain.accounts.authenticate(email, PASSWORD))?.id, person.id);
});

test('a name or password that will not do is refused with the reason, and the link goes on being good', async (t) => {
  const email = address();
  const agent = new UserAgent(open.postern.issuer);
  await agent.submit(await agent.get('/account/sign-up'), { email });
  let form = await agent.get((await open.mail.next(email)).link!);
  for (const [fields, why] of [
    [{ name: 'x'.repeat(201), password: PASSWORD }, /This name/],
    [{ name: 'a\u202Eb', password: PASSWORD }, /This name/],
    [{ name: 'Bartholomew', password: 'bartholomew1' }, /close to your name/],
    [{ name: '', password: '1234' }, /too short/],
  ] as const) {
    form = await agent.submit(form, fields);
    t.is(form.status, 400);
    t.regex(alertOf(form) ?? '', why);
  }
  t.is((await agent.submit(form, { name: '', password: PASSWORD })).page, 'done');
  t.is((await open.postern.domain.accounts.byEmail(email))?.name, undefined);
});

test('where nobody can sign up there is no page for it, no link to it, and no such link is good', async (t) => {
  const { agent, login } = await atSignIn(closed);
  t.notRegex(login.html, /sign-up|invitation/);
  for (const path of ['/account/sign-up', '/account/join', '/account/join/done'])
    t.is((await agent.get(path)).status, 404);
  const form = await agent.get('/account/forgot');
  const sent = await agent.post('/account/sign-up', new URLSearchParams({ email: address(), csrf: 'x' }));
  t.deepEqual([form.status, sent.status], [200, 404]);
});

test('where accounts are by invitation the sign-in page says so', async (t) => {
  const invited = await startMailed({ POSTERN_SIGN_UP: 'invitation' });
  t.teardown(() => invited.close());
  const { agent, login } = await atSignIn(invited);
  t.true(login.html.includes('Accounts here are by invitation.'));
  t.is((await agent.get('/account/sign-up')).status, 404);
});

test('somebody who was invited chooses a password, in the language of the mail, and signs in', async (t) => {
  const email = address();
  await closed.postern.domain.joins.invite({ email, name: 'Jo', admin: true, locale: 'de' });
  const refused = await atSignIn(closed);
  t.is((await signIn(refused.agent, refused.login, email, PASSWORD)).page, 'login', 'nobody knows a password yet');
  const { link, subject } = await closed.mail.next(email);
  t.is(subject, 'Einladung zu Postern');
  const agent = new UserAgent(closed.postern.issuer);
  const form = await agent.get(link!);
  t.regex(form.html, /<html lang="de"[\s\S]*value="Jo"/);
  t.is((await agent.submit(form, { name: 'Johanna', password: PASSWORD })).page, 'done');
  const { login } = await atSignIn(closed, { agent });
  t.truthy((await signIn(agent, login, email, PASSWORD)).left?.searchParams.get('code'));
  t.like(await closed.postern.domain.accounts.byEmail(email), {
    name: 'Johanna',
    emailVerified: true,
    admin: true,
    locale: 'de',
  });
});

test('whoever lost the invitation gets in by asking for a new password', async (t) => {
  const email = address();
  await closed.postern.domain.joins.invite({ email, locale: 'en' });
  await closed.mail.next(email);
  const agent = new UserAgent(closed.postern.issuer);
  await agent.submit(await agent.get('/account/forgot'), { email });
  const done = await agent.submit(await agent.get((await closed.mail.next(email)).link!), { password: PASSWORD });
  t.is(done.page, 'done');
});
