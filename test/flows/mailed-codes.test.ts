import test from 'ava';
import { redeem } from '../support/client.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { beginAs, giveApp, PHR, RECOVERY_CODES, TWO } from '../support/second-factor.ts';
import { type Answer, UserAgent } from '../support/user-agent.ts';

let mail: MailServer;
let postern: Postern;
test.before(async () => {
  mail = await startMailServer();
  const env = { POSTERN_SMTP_URL: mail.url, POSTERN_EMAIL_CODES: 'on', POSTERN_SECOND_FACTOR: 'required' };
  postern = await startPostern({ env });
});
test.after.always(() => Promise.all([postern?.close(), mail?.close()]));

let people = 0;
const somebody = (more: object = {}, server = postern) =>
  server.domain.accounts.add({
    email: `p${++people}@example.com`,
    password: PASSWORD,
    emailVerified: true,
    ...more,
  });

const SEND = { name: 'decision', value: 'mail' };
const offersMail = ({ html }: Answer): boolean => html.includes('value="mail"');

/** The eight digits of the next mail to the person. */
async function mailed(person: { readonly email: string }): Promise<string> {
  const { text = '' } = await mail.next(person.email);
  // Of what else happened they are told as well.
  return /\b\d{8}\b/.exec(text)?.[0] ?? mailed(person);
}

test('a person has a code mailed, types it where they are signing in, and the tokens tell that it was no app', async (t) => {
  const person = await somebody();
  const { agent, asked, answer } = await beginAs(postern, person.email);
  t.is(answer.page, 'second-factor');
  t.false(answer.html.includes('name="code"'), 'there is no code to type yet');
  t.is(mail.mails.filter(({ recipients }) => recipients.includes(person.email)).length, 0, 'nothing goes unasked');
  const sent = await agent.submit(answer, {}, SEND);
  t.true(sent.html.includes('name="code"'));
  const code = await mailed(person);
  t.is((await agent.submit(sent, { code: '12345678' })).status, 400);
  const done = await agent.submit(sent, { code: ` ${code.slice(0, 4)} ${code.slice(4)}` });
  const claims = (await redeem(asked, done.left!)).claims();
  t.deepEqual(claims?.['amr'], ['pwd', 'otp', 'mca', 'mfa']);
  t.is(claims?.['acr'], TWO);
});

test('who owns an app may have a code mailed instead; asking again ends the code before', async (t) => {
  const person = await somebody();
  await giveApp(postern, person);
  const { agent, answer } = await beginAs(postern, person.email);
  t.true(offersMail(answer));
  const first = await agent.submit(answer, {}, SEND);
  const old = await mailed(person);
  const second = await agent.submit(first, {}, SEND);
  const code = await mailed(person);
  t.is((await agent.submit(second, { code: old })).page, 'second-factor');
  t.truthy((await agent.submit(second, { code })).left);
});

test('a code is good in the sign-in it was asked for in, and in no other tab or browser', async (t) => {
  const person = await somebody();
  const { agent, answer } = await beginAs(postern, person.email);
  const sent = await agent.submit(answer, {}, SEND);
  const code = await mailed(person);
  const thief = await beginAs(postern, person.email);
  const stolen = await thief.agent.submit(thief.answer, { code });
  t.is(stolen.page, 'second-factor');
  const tab = await beginAs(postern, person.email, { agent });
  t.is((await tab.agent.submit(tab.answer, { code })).page, 'second-factor');
  t.truthy((await agent.submit(sent, { code })).left);
});

test('whoever reads the mailbox does not get in by that: after a reset by mail no code is mailed, until the password is changed otherwise', async (t) => {
  const person = await somebody();
  const { domain } = postern;
  const { secret, changes } = await domain.links.issue({ purpose: 'reset-password', person });
  await postern.store.commit([...changes]);
  await domain.recovery.resetPassword(secret, PASSWORD);
  const { answer } = await beginAs(postern, person.email);
  t.is(answer.page, 'enrol', 'they own nothing else');
  await giveApp(postern, person);
  const withApp = await beginAs(postern, person.email);
  t.is(withApp.answer.page, 'second-factor');
  t.false(offersMail(withApp.answer));
  await withApp.agent.submit(withApp.answer, {}, SEND);
  t.false(await domain.mailedCodes.isOut({ person, interaction: new URL(withApp.answer.url).pathname.split('/')[2]! }));
  await domain.accounts.setPassword(person.id, PASSWORD);
  t.true(offersMail((await beginAs(postern, person.email)).answer));
});

test('no code is mailed to operators, nor to an address that nobody has shown to read', async (t) => {
  const [operator, unproven] = [await somebody({ admin: true }), await somebody({ emailVerified: false })];
  t.is((await beginAs(postern, operator.email)).answer.page, 'enrol');
  t.is((await beginAs(postern, unproven.email)).answer.page, 'enrol');
});

test('an application that wants a passkey is not content with a mailed code: the person proves it, and adds a passkey', async (t) => {
  const person = await somebody();
  const { agent, answer } = await beginAs(postern, person.email, { parameters: { acr_values: PHR } });
  const sent = await agent.submit(answer, {}, SEND);
  const next = await agent.submit(sent, { code: await mailed(person) });
  t.is(next.page, 'enrol');
  t.false(next.html.includes('name="code"'));
});

test('so many codes an hour and no more, and the page says when', async (t) => {
  const person = await somebody();
  const { agent, answer } = await beginAs(postern, person.email);
  let page = answer;
  for (let i = 0; i < 5; i++) page = await agent.submit(page, {}, SEND);
  t.is(page.status, 200);
  const last = await agent.submit(page, {}, SEND);
  t.is(last.status, 429);
  t.regex(last.html, /role="alert"/);
  t.true(Number(last.headers.get('retry-after')) > 0);
});

test('whoever did it, its owner is told by mail: a factor added, a recovery code used, a factor taken away', async (t) => {
  const person = await somebody({ locale: 'de' });
  await giveApp(postern, person);
  t.is((await mail.next(person.email)).subject, 'Ein zweiter Faktor wurde hinzugefügt');
  const { agent, answer } = await beginAs(postern, person.email);
  t.truthy((await agent.submit(answer, { code: RECOVERY_CODES[0]! })).left);
  t.is((await mail.next(person.email)).subject, 'Ein Wiederherstellungscode wurde benutzt');
  const again = await beginAs(postern, person.email);
  t.is((await again.agent.submit(again.answer, { code: RECOVERY_CODES[0]! })).page, 'second-factor');
  await postern.domain.factors.reset(person.id);
  t.is(
    (await mail.next(person.email)).subject,
    'Ein zweiter Faktor wurde entfernt',
    'and nothing of what did not happen',
  );
});

test('as it comes, nobody is mailed a code, whatever a form says', async (t) => {
  const server = await startPostern({ env: { POSTERN_SMTP_URL: mail.url } });
  const person = await somebody({}, server);
  await giveApp(server, person);
  const { agent, answer } = await beginAs(server, person.email, { agent: new UserAgent(server.issuer) });
  t.false(offersMail(answer));
  const after = await agent.submit(answer, {}, SEND);
  t.is(after.page, 'second-factor');
  const interaction = new URL(answer.url).pathname.split('/')[2]!;
  t.false(await server.domain.mailedCodes.isOut({ person, interaction }));
  await server.close();
});
