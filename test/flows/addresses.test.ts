import test from 'ava';
import { signIn } from '../support/client.ts';
import { atSignIn, type Mailed, startMailed } from '../support/mailed.ts';
import { addPerson, PASSWORD } from '../support/postern.ts';
import { UserAgent } from '../support/user-agent.ts';

let world: Mailed;
test.before(async () => {
  world = await startMailed();
});
test.after.always(() => world?.close());

let people = 0;
const somebody = () => addPerson(world.postern, `reader${++people}@example.com`);

/** Somebody at a page of their account, in a browser of their own. */
async function atHome(email: string, page: string) {
  const agent = new UserAgent(world.postern.issuer);
  return { agent, page: await signIn(agent, await agent.get(`/account/${page}`), email) };
}

/** The link that was mailed to change to an address. */
async function asksFor(email: string, to: string) {
  const { agent, page } = await atHome(email, 'email');
  const asked = await agent.press(page, 'Send the link', { email: to });
  return { agent, asked };
}

test('a person shows that they read their address by the link of a mail', async (t) => {
  const { id, email } = await somebody();
  const { agent, page } = await atHome(email, 'profile');
  t.is((await agent.press(page, 'Send a link to confirm it')).page, 'account-profile');
  const { link } = await world.mail.next(email);
  t.is(link?.pathname, '/account/verify-email');
  const elsewhere = new UserAgent(world.postern.issuer);
  const form = await elsewhere.get(link!);
  t.false((await world.postern.domain.accounts.get(id))?.emailVerified, 'looking changes nothing');
  t.is((await elsewhere.submit(form, {})).page, 'done');
  t.true((await world.postern.domain.accounts.get(id))?.emailVerified);
  t.is((await elsewhere.submit(form, {})).page, 'done', 'of two clicks the second is told the same');
  t.is((await elsewhere.get(link!)).page, 'link-gone');
  t.notRegex((await agent.get('/account/profile')).html, /Send a link to confirm it/);
});

test('after a change of address the old one signs nobody in, and no link that was mailed there is good', async (t) => {
  const { id, email } = await somebody();
  const to = `new-${email}`;
  const stranger = new UserAgent(world.postern.issuer);
  await stranger.submit(await stranger.get('/account/forgot'), { email });
  const { link: reset } = await world.mail.next(email);
  await asksFor(email, to);
  const { link } = await world.mail.next(to);
  const other = new UserAgent(world.postern.issuer);
  t.is((await other.submit(await other.get(link!), {})).page, 'done');
  t.like(await world.postern.domain.accounts.get(id), { email: to, emailVerified: true });
  t.is((await stranger.get(reset!)).page, 'link-gone');
  const { agent, login } = await atSignIn(world);
  const refused = await signIn(agent, login, email);
  t.is(refused.page, 'login');
  t.truthy((await signIn(agent, refused, to, PASSWORD)).left?.searchParams.get('code'));
});

test('somebody else’s address is answered like any other; its owner alone is told', async (t) => {
  const [asking, owner] = [await somebody(), await somebody()];
  const free = `free-${asking.email}`;
  const taken = await asksFor(asking.email, owner.email);
  const untaken = await asksFor(asking.email, free);
  t.is(taken.asked.html.replace(/value="[^"]*"/g, ''), untaken.asked.html.replace(/value="[^"]*"/g, ''));
  t.is((await world.mail.next(owner.email)).subject, 'You already have an account at Postern');
  t.is((await world.mail.next(free)).link?.pathname, '/account/change-email');
});

test('an address that somebody else took before it was confirmed stays theirs', async (t) => {
  const { id, email } = await somebody();
  const to = `wanted-${email}`;
  await asksFor(email, to);
  const { link } = await world.mail.next(to);
  const agent = new UserAgent(world.postern.issuer);
  const form = await agent.get(link!);
  const faster = await addPerson(world.postern, to);
  t.is((await agent.submit(form, {})).page, 'link-gone');
  t.is((await world.postern.domain.accounts.get(id))?.email, email);
  t.is((await world.postern.domain.accounts.byEmail(to))?.id, faster.id);
});

test('the same address spelt otherwise is a change like any other', async (t) => {
  const { id, email } = await somebody();
  const to = email.replace('reader', 'Reader');
  await asksFor(email, to);
  const { link } = await world.mail.next(to);
  t.is(link?.pathname, '/account/change-email');
  const agent = new UserAgent(world.postern.issuer);
  t.is((await agent.submit(await agent.get(link!), {})).page, 'done');
  t.is((await world.postern.domain.accounts.get(id))?.email, to);
  t.is((await world.postern.domain.accounts.byEmail(email))?.id, id);
});
