/** An operator has somebody choose a new password: nothing changes until they do, and nobody's mails are counted for it. */
import test from 'ava';
import { signIn } from '../support/client.ts';
import { startMailed } from '../support/mailed.ts';
import { atDesk } from '../support/operators.ts';
import { addPerson, PASSWORD, startPostern } from '../support/postern.ts';
import { type Answer, UserAgent } from '../support/user-agent.ts';

const NEW_PASSWORD = 'another staple entirely';

const linkIn = ({ html }: Answer) => /<textarea[^>]*>([^<]*)/.exec(html)?.[1]?.replaceAll('&amp;', '&') ?? '';

test('somebody is mailed a link to a new password: until they use it they are signed in, by the old one', async (t) => {
  const { postern, mail, close } = await startMailed();
  t.teardown(close);
  const { id, email } = await addPerson(postern);
  await postern.domain.accounts.rename(id, 'Ada');
  const theirs = new UserAgent(postern.issuer);
  await signIn(theirs, await theirs.get('/account'), email);
  const before = await postern.domain.accounts.get(id);

  const { agent, page, person: operator } = await atDesk(postern, `/admin/people/${id}`);
  const sent = await agent.press(page, 'Mail them a link to a new password');
  t.is(sent.page, 'admin-person');
  t.regex(sent.html, /role="status">The link to a new password is on its way/);
  t.notRegex(sent.html, /token=/);
  t.deepEqual(await postern.domain.accounts.get(id), before);
  t.is((await theirs.get('/account')).page, 'account');
  const asked = (await postern.domain.audit.listForAccount(id)).events.filter(
    ({ type }) => type === 'account.reset_asked',
  );
  t.deepEqual(
    asked.map(({ details }) => details),
    [{ by: operator.id }],
  );

  const letter = await mail.next(email);
  t.is(letter.subject, 'A new password for Postern');
  t.regex(letter.text ?? '', /Whoever runs Postern sends you this link/);
  t.is(letter.link?.pathname, '/account/reset');
  const elsewhere = new UserAgent(postern.issuer);
  const reset = await elsewhere.get(letter.link!);
  t.is((await theirs.get('/account')).page, 'account', 'opening it ends nothing');
  t.is((await elsewhere.submit(reset, { password: NEW_PASSWORD })).page, 'done');
  t.is((await theirs.get('/account')).page, 'login');
  t.is(await postern.domain.accounts.authenticate(email, PASSWORD), undefined);
  t.truthy(await postern.domain.accounts.authenticate(email, NEW_PASSWORD));
  t.is((await elsewhere.get(letter.link!)).page, 'link-gone');
});

test('without a mail server it is a link that is shown once, to both of two clicks; whoever is disabled gets none', async (t) => {
  const postern = await startPostern();
  t.teardown(() => postern.close());
  const { id } = await addPerson(postern);
  const { agent, page } = await atDesk(postern, `/admin/people/${id}`);
  const press = () => agent.press(page, 'Make a link to a new password');
  const [first, second] = await Promise.all([press(), press()]);
  t.is(first.page, 'admin-once');
  t.is(linkIn(first), linkIn(second));
  const { events } = await postern.domain.audit.listForAccount(id);
  t.is(events.filter(({ type }) => type === 'account.reset_asked').length, 1);
  t.is((await new UserAgent(postern.issuer).get(linkIn(first))).page, 'reset');

  const open = await agent.get(page.url);
  await postern.domain.accounts.setDisabled(id, true);
  const refused = await agent.press(open, 'Make a link to a new password');
  t.is(refused.status, 400);
  t.regex(refused.html, /This person is disabled/);
  t.notRegex(refused.html, /value="password-reset"/);
});

test('whoever asks for a link on the sign-in page ends none of an operator’s, which may be handed on by hand; used, it ends theirs', async (t) => {
  const { postern, mail, close } = await startMailed();
  t.teardown(close);
  const { id, email } = await addPerson(postern);
  const make = async () =>
    (await postern.domain.recovery.sendPasswordLink((await postern.domain.accounts.get(id))!)).link;
  const [replaced, link] = [await make(), await make()];
  for (let n = 0; n < 2; n += 1) await mail.next(email);
  const stranger = new UserAgent(postern.issuer);
  await stranger.submit(await stranger.get('/account/forgot'), { email });
  const asked = (await mail.next(email)).link!;
  const open = async (url: string | URL) => new UserAgent(postern.issuer).get(url);
  t.deepEqual([(await open(replaced)).page, (await open(asked)).page], ['link-gone', 'reset']);
  const theirs = new UserAgent(postern.issuer);
  t.is((await theirs.submit(await theirs.get(link), { password: NEW_PASSWORD })).page, 'done');
  for (const used of [link, asked]) t.is((await open(used)).page, 'link-gone');
});

test('a link that an operator may have handed on confirms no address; one that was mailed alone does', async (t) => {
  const { postern, mail, close } = await startMailed();
  t.teardown(close);
  const { id, email } = await addPerson(postern);
  const known = async () => (await postern.domain.accounts.get(id))!;
  const { link } = await postern.domain.recovery.sendPasswordLink(await known());
  await mail.next(email);
  const agent = new UserAgent(postern.issuer);
  t.is((await agent.submit(await agent.get(link), { password: NEW_PASSWORD })).page, 'done');
  t.false((await known()).emailVerified);
  await mail.next(email);
  await agent.submit(await agent.get('/account/forgot'), { email });
  await agent.submit(await agent.get((await mail.next(email)).link!), { password: PASSWORD });
  t.true((await known()).emailVerified);
});

test('an operator uses nothing up of what strangers may ask for, and strangers may ask for no more', async (t) => {
  const { postern, mail, close } = await startMailed({ POSTERN_MAIL_PER_ADDRESS: '2', POSTERN_MAIL_PER_NETWORK: '3' });
  t.teardown(close);
  const { id, email } = await addPerson(postern);
  for (let n = 0; n < 5; n += 1)
    await postern.domain.recovery.sendPasswordLink((await postern.domain.accounts.get(id))!);
  const stranger = new UserAgent(postern.issuer);
  const ask = async () => stranger.submit(await stranger.get('/account/forgot'), { email });
  t.deepEqual([(await ask()).page, (await ask()).page, (await ask()).status], ['mail-sent', 'mail-sent', 429]);
  for (let n = 0; n < 7; n += 1) t.truthy((await mail.next(email)).link);
});
