import test from 'ava';
import { discover, request, signIn } from '../support/client.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { UserAgent } from '../support/user-agent.ts';

const NEW_PASSWORD = 'another staple entirely';

let mail: MailServer;
let postern: Postern;
let client: { id: string; secret?: string | undefined };

test.before(async () => {
  mail = await startMailServer();
  postern = await startPostern({
    env: {
      POSTERN_SMTP_URL: mail.url,
      POSTERN_SIGN_UP: 'open',
      POSTERN_MAIL_PER_ADDRESS: '1000',
      POSTERN_MAIL_PER_NETWORK: '100000',
    },
  });
  client = await addClient(postern, { firstParty: true });
});
test.after.always(async () => {
  await postern?.close();
  await mail?.close();
});

/** A browser at the sign-in page of an application. */
async function atSignIn(agent = new UserAgent(postern.issuer)) {
  const asked = await request(await discover(postern, client));
  return { agent, asked, login: await agent.get(asked.url) };
}

/** The link of the page whose text contains this. */
function follow(agent: UserAgent, { html }: { html: string }, path: string) {
  const href = new RegExp(`href="(${path}[^"]*)"`).exec(html)?.[1];
  if (!href) throw new Error(`no link to ${path}`);
  return agent.get(href.replaceAll('&amp;', '&'));
}

test('whoever forgot the password chooses a new one by the link of a mail, and goes on with the sign-in', async (t) => {
  const person = await addPerson(postern, 'forgetful@example.com');
  const { agent, login } = await atSignIn();
  const form = await follow(agent, login, '/account/forgot');
  t.is(form.page, 'forgot');
  const sent = await agent.submit(form, { email: 'Forgetful@Example.com' });
  t.is(sent.page, 'mail-sent');
  const { link, subject } = await mail.next(person.email);
  t.is(subject, 'A new password for Postern');
  const reset = await agent.get(link!);
  t.is(reset.page, 'reset');
  const done = await agent.submit(reset, { password: NEW_PASSWORD });
  t.is(done.page, 'done');
  const back = await follow(agent, done, '/interaction/');
  t.is(back.page, 'login');
  t.is((await signIn(agent, back, person.email, PASSWORD)).page, 'login', 'the old one is no good');
  t.truthy((await signIn(agent, await agent.get(back.url), person.email, NEW_PASSWORD)).left?.searchParams.get('code'));
  t.is((await mail.next(person.email)).subject, 'Your password was changed');
  t.is((await agent.get(link!)).page, 'link-gone');
});

test('whoever is new signs up by the link of a mail, and goes on with the sign-in', async (t) => {
  const { agent, login } = await atSignIn();
  const sent = await agent.submit(await follow(agent, login, '/account/sign-up'), { email: 'new@example.com' });
  t.is(sent.page, 'mail-sent');
  const { link } = await mail.next('new@example.com');
  t.is(await postern.domain.accounts.byEmail('new@example.com'), undefined, 'nobody is here before the link was used');
  const join = await agent.get(link!);
  t.is(join.page, 'join');
  const done = await agent.submit(join, { name: 'Nora Neu', password: NEW_PASSWORD });
  t.is(done.page, 'done');
  const answer = await signIn(agent, await follow(agent, done, '/interaction/'), 'new@example.com', NEW_PASSWORD);
  t.truthy(answer.left?.searchParams.get('code'));
  const person = await postern.domain.accounts.byEmail('new@example.com');
  t.like(person, { name: 'Nora Neu', emailVerified: true, admin: false });
});
