import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import * as oidc from 'openid-client';
import { createLogger } from '../../src/http/index.ts';
import { minutes } from '../../src/lib/index.ts';
import { authorize, redeem, signIn } from '../support/client.ts';
import { pass } from '../support/clock.ts';
import { linkIn } from '../support/mail-server.ts';
import { alertOf, atSignIn, follow, type Mailed, startMailed } from '../support/mailed.ts';
import { addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { giveApp } from '../support/second-factor.ts';
import { until } from '../support/until.ts';
import { UserAgent } from '../support/user-agent.ts';

const NEW_PASSWORD = 'another staple entirely';

let world: Mailed;
test.before(async () => {
  world = await startMailed();
});
test.after.always(() => world?.close());

let people = 0;
const somebody = () => addPerson(world.postern, `forgetful${++people}@example.com`);

/** Asks for a link and gives it. */
async function linkFor(email: string, agent = new UserAgent(world.postern.issuer)): Promise<URL> {
  await agent.submit(await agent.get('/account/forgot'), { email });
  for (;;) {
    const { link } = await world.mail.next(email);
    if (link?.pathname === '/account/reset') return link;
  }
}

test('whoever forgot the password chooses a new one by the link of a mail, and goes on with the sign-in', async (t) => {
  const { email } = await somebody();
  const { agent, asked, login } = await atSignIn(world);
  const form = await follow(agent, login, '/account/forgot');
  const sent = await agent.submit(form, { email: email.toUpperCase() });
  t.is(sent.page, 'mail-sent');
  const { link, subject } = await world.mail.next(email);
  t.is(subject, 'A new password for Postern');
  const reset = await agent.get(link!);
  t.is(reset.page, 'reset');
  const done = await agent.submit(reset, { password: NEW_PASSWORD });
  t.is(done.page, 'done');
  t.notRegex(done.url, /token/);
  const back = await follow(agent, done, '/interaction/');
  const refused = await signIn(agent, back, email, PASSWORD);
  t.is(refused.page, 'login', 'the old password is no good');
  const tokens = await redeem(asked, (await signIn(agent, refused, email, NEW_PASSWORD)).left!);
  t.truthy(tokens.id_token);
  t.is((await world.mail.next(email)).subject, 'Your password was changed');
});

test('a new password ends every session, grant and token there is', async (t) => {
  const { email } = await somebody();
  const { agent, config, tokens } = await authorize(
    world.postern,
    world.client,
    { scope: 'openid offline_access', prompt: 'consent' },
    undefined,
    email,
  );
  const { login } = await atSignIn(world, { agent, parameters: { prompt: 'none' } });
  t.truthy(login.left?.searchParams.get('code'), 'signed in before');
  const elsewhere = new UserAgent(world.postern.issuer);
  await elsewhere.submit(await elsewhere.get(await linkFor(email, elsewhere)), { password: NEW_PASSWORD });
  const after = await atSignIn(world, { agent, parameters: { prompt: 'none' } });
  t.is(after.login.left?.searchParams.get('error'), 'login_required');
  const refused = await t.throwsAsync(oidc.refreshTokenGrant(config, tokens.refresh_token!));
  t.is((refused as oidc.ResponseBodyError).error, 'invalid_grant');
  await t.throwsAsync(oidc.fetchUserInfo(config, tokens.access_token, oidc.skipSubjectCheck));
});

test.serial(
  'a second factor stays and is asked for after a new password, and wrong codes go on counting',
  async (t) => {
    const strict = await startMailed({ POSTERN_GUESSES_ACCOUNT: '5' });
    t.teardown(() => strict.close());
    const { email, id } = await addPerson(strict.postern);
    const app = await giveApp(strict.postern, { id });
    t.is((await strict.mail.next(email)).subject, 'A second factor was added to your account');
    const codePage = async (password: string) => {
      const { agent, login } = await atSignIn(strict);
      return { agent, answer: await agent.submit(login, { email, password }) };
    };
    const before = await codePage(PASSWORD);
    for (let i = 0; i < 5; i++) await before.agent.submit(before.answer, { code: '000000' });

    const agent = new UserAgent(strict.postern.issuer);
    await agent.submit(await agent.get('/account/forgot'), { email });
    const { link } = await strict.mail.next(email);
    const done = await agent.submit(await agent.get(link!), { password: NEW_PASSWORD });
    t.is(done.page, 'done');
    t.is((await codePage(NEW_PASSWORD)).answer.status, 429, 'a new password gives no new guesses');
    pass(minutes(16));
    const after = await codePage(NEW_PASSWORD);
    t.is(after.answer.page, 'second-factor', 'the password alone opens nothing');
    const signedIn = await after.agent.submit(after.answer, { code: app.fresh() });
    t.truthy(signedIn.left?.searchParams.get('code'), 'the app is still theirs');
  },
);

test.serial('a link works once, for half an hour, until a newer one, and opening it uses nothing up', async (t) => {
  const { email } = await somebody();
  const agent = new UserAgent(world.postern.issuer);
  const [first, second] = [await linkFor(email), await linkFor(email)];
  t.is((await agent.get(first)).page, 'link-gone', 'a newer one was asked for');
  for (let i = 0; i < 3; i++) t.is((await agent.get(second)).page, 'reset', 'mail programs look too');
  t.is((await fetch(second, { method: 'HEAD' })).status, 200);
  const form = await agent.get(second);
  t.is((await agent.submit(form, { password: NEW_PASSWORD })).page, 'done');
  const again = await agent.submit(form, { password: 'yet another staple' });
  t.deepEqual([again.page, again.status], ['link-gone', 410]);
  t.truthy(await world.postern.domain.accounts.authenticate(email, NEW_PASSWORD));

  const third = await linkFor(email);
  const open = await agent.get(third);
  pass(minutes(30));
  t.is((await agent.get(third)).page, 'link-gone');
  t.is((await agent.submit(open, { password: 'too late by a second' })).page, 'link-gone');
});

test('a link is good for its own purpose alone, and what is no link is told the same', async (t) => {
  const { email } = await somebody();
  const link = await linkFor(email);
  const agent = new UserAgent(world.postern.issuer);
  for (const page of ['welcome', 'verify-email', 'change-email']) {
    const answer = await agent.get(link.href.replace('/reset', `/${page}`));
    t.deepEqual([answer.page, answer.status], ['link-gone', 410], page);
  }
  for (const query of [
    '',
    '?token=',
    '?token=a&token=b',
    `?token=${'x'.repeat(4000)}`,
    '?token[]=1',
    '?token=%F0%9F%8C%8D',
  ])
    t.is((await agent.get(`/account/reset${query}`)).page, 'link-gone', query);
  t.is((await agent.get(link)).page, 'reset', 'it is still good for what it is for');
});

test('a browser without cookies is told that it lacks them, by every form of its own', async (t) => {
  const { email } = await somebody();
  for (const address of ['/account/forgot?ui_locales=de', (await linkFor(email)).href]) {
    const agent = new UserAgent(world.postern.issuer);
    const form = await agent.get(address);
    agent.cookies.clear();
    const refused = await agent.submit(form, { email, password: NEW_PASSWORD });
    t.deepEqual([refused.page, refused.status], ['error', 403]);
    t.regex(alertOf(refused) ?? '', /cookie/i);
    t.is(
      /href="([^"]*)">(?:Noch einmal|Try again)/.exec(refused.html)?.[1],
      form.page === 'forgot' ? address : undefined,
    );
  }
  t.is(await world.postern.domain.accounts.authenticate(email, NEW_PASSWORD), undefined);
});

test('a password that will not do is refused with the reason, and the link goes on being good', async (t) => {
  const { email } = await somebody();
  const agent = new UserAgent(world.postern.issuer);
  let form = await agent.get(await linkFor(email));
  for (const [password, why] of [
    ['short', /too short/],
    ['', /too short/],
    ['x'.repeat(129), /at most 128/],
    ['password123', /Many people/],
    [email, /close to your name/],
  ] as const) {
    form = await agent.submit(form, { password });
    t.is(form.status, 400);
    t.regex(alertOf(form) ?? '', why, password);
    t.notRegex(form.html, /name="password"[^>]*value=/, 'it is not shown again');
  }
  t.is((await agent.submit(form, { password: 'ünïcödé is fine 🌍' })).page, 'done');
});

test('the sign-in that was interrupted goes on in the browser that asked, and in no other', async (t) => {
  const { email } = await somebody();
  const { agent, login } = await atSignIn(world);
  await agent.submit(await follow(agent, login, '/account/forgot'), { email });
  const { link } = await world.mail.next(email);
  const other = new UserAgent(world.postern.issuer);
  const done = await other.submit(await other.get(link!), { password: NEW_PASSWORD });
  t.is(done.page, 'done');
  t.false(done.html.includes('/interaction/'));
});

test('whoever asks in German is mailed in German, and the link opens in German', async (t) => {
  const { email } = await somebody();
  const { agent, login } = await atSignIn(world, { parameters: { ui_locales: 'de' } });
  const sent = await agent.submit(await follow(agent, login, '/account/forgot'), { email });
  t.regex(sent.html, /<html lang="de"/);
  const { link, subject } = await world.mail.next(email);
  t.is(subject, 'Ein neues Passwort für Postern');
  const reset = await agent.get(link!);
  t.regex(reset.html, /<html lang="de"/);
  const done = await agent.submit(reset, { password: NEW_PASSWORD });
  t.regex(done.html, /<html lang="de"/);
  t.is((await world.mail.next(email)).subject, 'Ihr Passwort wurde geändert');
});

test('no token of a link reaches a log line or the store', async (t) => {
  const lines: string[] = [];
  const log = createLogger({ level: 'debug', destination: { write: (line) => void lines.push(line) } });
  const postern = await startPostern({ log });
  t.teardown(() => postern.close());
  const { email } = await addPerson(postern);
  const agent = new UserAgent(postern.issuer);
  await agent.submit(await agent.get('/account/forgot'), { email });
  await until(() => outboxOf(postern).length > 0);
  const [file] = outboxOf(postern);
  const link = linkIn({ text: readFileSync(file!, 'utf8') })!;
  const secret = link.searchParams.get('token')!;
  const form = await agent.get(link);
  await agent.submit(form, { password: 'short' });
  await agent.get(`/account/reset/${secret}`);
  await agent.submit(form, { password: NEW_PASSWORD });
  t.true(lines.length > 5);
  t.true(
    lines.some((line) => line.includes(file!)),
    'the log names the file',
  );
  t.false(lines.some((line) => line.includes(secret) || line.includes(email)));
  const journal = readdirSync(join(postern.folder, 'data'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.eml'))
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'));
  t.true(journal.some((text) => text.includes('account.password_reset')));
  t.false(journal.some((text) => text.includes(secret)));
});

/** The mails kept in the outbox. */
function outboxOf({ folder }: Postern): string[] {
  const outbox = join(folder, 'data', 'outbox');
  if (!existsSync(outbox)) return [];
  return readdirSync(outbox)
    .filter((name) => name.endsWith('.eml'))
    .map((name) => join(outbox, name));
}
