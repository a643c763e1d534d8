import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { discover, type Registered, redeem, request } from '../support/client.ts';
import type { ReceivedMail } from '../support/mail-server.ts';
import { type Mailed, startMailed } from '../support/mailed.ts';
import { addClient, addPerson, PASSWORD } from '../support/postern.ts';
import { giveApp } from '../support/second-factor.ts';
import { axe, openBrowser, openPage, screenshot } from './browser.ts';

const NEW_PASSWORD = 'another staple entirely';
const PHONE = { viewport: { width: 390, height: 844 }, colorScheme: 'dark' as const, javaScriptEnabled: false };

let world: Mailed;
let browser: Browser;
let client: Registered;
let callback: string;
const application = createServer((_, answer) => answer.end('back at the application'));

test.before(async () => {
  [browser, world] = await Promise.all([openBrowser(), startMailed({ POSTERN_SIGN_UP: 'open' })]);
  await new Promise<void>((listening) => application.listen(0, '127.0.0.1', listening));
  callback = `http://127.0.0.1:${(application.address() as AddressInfo).port}/callback`;
  client = await addClient(world.postern, { firstParty: true, redirectUris: [callback] });
});
test.after.always(async () => {
  await browser?.close();
  await world?.close();
  application.close();
});

/** A browser of somebody's own, whose console must stay empty. */
async function own(options?: BrowserContextOptions) {
  const opened = await openPage(browser, options, (_, url) => url.startsWith(world.postern.issuer));
  opened.context.setDefaultTimeout(60_000);
  return opened;
}

/** An application sends somebody to sign in. */
async function toSignIn(page: Page) {
  const asked = await request(await discover(world.postern, client), { redirect_uri: callback });
  await page.goto(asked.url.href);
  return asked;
}

async function shown(page: Page, name: string, picture?: string): Promise<void> {
  await page.waitForSelector(`main[data-page=${name}]`);
  if (picture) await screenshot(page, `mailed-${picture}`);
}

/** What is hard to read on the page of this name. Where scripts are off axe cannot say: it is one. */
async function at(page: Page, name: string, picture?: string): Promise<string[]> {
  await shown(page, name, picture);
  return axe(page);
}

/** Opens the link of a mail as mail programs do: in a tab of its own. */
async function open(context: BrowserContext, mail: ReceivedMail): Promise<Page> {
  const page = await context.newPage();
  await page.setContent(mail.html ?? '');
  await page.locator('a').first().click();
  await page.waitForURL(`${world.postern.issuer}/**`);
  return page;
}

async function signIn(page: Page, email: string, password: string): Promise<void> {
  await page.fill('[name=email]', email);
  await page.fill('[name=password]', password);
  await page.keyboard.press('Enter');
}

test.serial(
  'somebody who forgot the password gets a new one by mail, and still needs their authenticator app',
  async (t) => {
    const person = await addPerson(world.postern, 'forgetful@example.com');
    const app = await giveApp(world.postern, person);
    t.regex((await world.mail.next(person.email)).subject ?? '', /second step|second factor|added/i);
    const { context, page, complaints } = await own();
    const asked = await toSignIn(page);
    await page.getByRole('link', { name: 'Forgot your password?' }).click();
    t.deepEqual(await at(page, 'forgot'), []);
    await page.keyboard.type(person.email);
    await page.keyboard.press('Enter');
    t.deepEqual(await at(page, 'mail-sent', 'sent'), []);

    const tab = await open(context, await world.mail.next(person.email));
    t.deepEqual(await at(tab, 'reset'), []);
    t.is(await tab.inputValue('[autocomplete=username]'), person.email, 'for the password manager');
    await tab.keyboard.type('password1');
    await tab.keyboard.press('Enter');
    await tab.waitForSelector('[role=alert]');
    t.regex(await tab.innerText('[role=alert]'), /Many people use this password/);
    t.deepEqual(await at(tab, 'reset', 'reset-refused'), []);
    await tab.fill('[name=password]', NEW_PASSWORD);
    await tab.getByRole('button', { name: 'Save the password' }).click();
    t.deepEqual(await at(tab, 'done', 'reset-done'), []);
    await tab.getByRole('link', { name: 'Go on to sign in' }).click();
    await signIn(tab, person.email, NEW_PASSWORD);
    t.deepEqual(await at(tab, 'second-factor'), []);
    await tab.fill('[name=code]', app.fresh());
    await tab.keyboard.press('Enter');
    await tab.waitForURL(`${callback}?**`);
    t.truthy((await redeem(asked, new URL(tab.url()))).id_token);

    await tab.goto((await world.mail.next(person.email)).link!.href);
    t.deepEqual(await at(tab, 'forgot'), [], 'the notice of the change leads here');
    t.deepEqual(
      complaints,
      ['Failed to load resource: the server responded with a status of 400 (Bad Request)'],
      'a refused password',
    );
    await context.close();
  },
);

test.serial('somebody new makes an account on a phone, in German, in the dark, without scripts', async (t) => {
  const email = 'neu@example.com';
  const { context, page, complaints } = await own({ ...PHONE, locale: 'de-AT' });
  await toSignIn(page);
  await page.getByRole('link', { name: 'Neu hier? Konto anlegen' }).click();
  await page.fill('[name=email]', email);
  await page.getByRole('button', { name: 'Link zusenden' }).click();
  await shown(page, 'mail-sent', 'sign-up-sent-de');
  const mail = await world.mail.next(email);
  t.is(mail.subject, 'Ihr neues Konto bei Postern');
  const tab = await open(context, mail);
  await shown(tab, 'join', 'join-de');
  await tab.fill('[name=name]', 'Nora Neu');
  await tab.fill('[name=password]', PASSWORD);
  await tab.getByRole('button', { name: 'Konto anlegen' }).click();
  await shown(tab, 'done', 'join-done-de');
  await tab.getByRole('link', { name: 'Weiter zur Anmeldung' }).click();
  await signIn(tab, email, PASSWORD);
  await tab.waitForURL(`${callback}?**`);
  t.deepEqual(complaints, []);
  await context.close();
});

test.serial(
  'a double click on what a mail led to is told that it is done, not that the link no longer works',
  async (t) => {
    const { accounts, joins, links } = world.postern.domain;
    const [who, old, reader] = ['clicks@example.com', 'forgot-clicks@example.com', 'reads-clicks@example.com'];
    const [forgetful, reading] = [await addPerson(world.postern, old), await addPerson(world.postern, reader)];
    const { link: welcome } = await joins.invite({ email: who, locale: 'en' });
    const made = async (purpose: 'reset-password' | 'verify-email', person: typeof reading) => {
      const { secret, changes } = await links.issue({ purpose, person, email: person.email });
      await world.postern.store.commit([...changes]);
      return `${world.postern.issuer}/account/${purpose === 'verify-email' ? purpose : 'reset'}?token=${secret}`;
    };
    const { context, page } = await own({ javaScriptEnabled: false });
    for (const link of [welcome, await made('reset-password', forgetful), await made('verify-email', reading)]) {
      await page.goto(link);
      if (await page.locator('[name=password]').count()) await page.fill('[name=password]', NEW_PASSWORD);
      await page.dblclick('button.primary', { delay: 10, noWaitAfter: true });
      await shown(page, 'done');
    }
    t.truthy(await accounts.authenticate(who, NEW_PASSWORD));
    t.truthy(await accounts.authenticate(old, NEW_PASSWORD));
    t.true((await accounts.byEmail(reader))?.emailVerified);
    await context.close();
  },
);

test.serial('somebody who was invited opens their account in another browser than the one they work in', async (t) => {
  const email = 'invited@example.com';
  await world.postern.domain.joins.invite({ email, name: 'Ivo', locale: 'en' });
  const { context } = await own();
  const page = await open(context, await world.mail.next(email));
  t.deepEqual(await at(page, 'join', 'welcome'), []);
  t.is(await page.inputValue('[name=name]'), 'Ivo');
  await page.fill('[name=password]', PASSWORD);
  await page.keyboard.press('Enter');
  await shown(page, 'done');
  await page.getByRole('link', { name: 'Go to your account' }).click();
  await shown(page, 'login');
  await signIn(page, email, PASSWORD);
  t.deepEqual(await at(page, 'account'), []);
  await context.close();
});

test.serial(
  'somebody changes their address on the desk and confirms it on the phone; the old address is told twice',
  async (t) => {
    const [from, to] = ['old@example.com', 'new@example.com'];
    await addPerson(world.postern, from);
    const [desk, phone] = [await own(), await own(PHONE)];
    await desk.page.goto(`${world.postern.issuer}/account/email`);
    await signIn(desk.page, from, PASSWORD);
    t.deepEqual(await at(desk.page, 'account-email'), []);
    await desk.page.fill('[name=email]', to);
    await desk.page.keyboard.press('Enter');
    t.deepEqual(await at(desk.page, 'account-profile'), []);
    const page = await open(phone.context, await world.mail.next(to));
    await shown(page, 'confirm', 'confirm-phone');
    t.truthy(await world.postern.domain.accounts.byEmail(from), 'looking changes nothing');
    await page.getByRole('button', { name: 'Use this address' }).click();
    await shown(page, 'done');
    const subjects = [await world.mail.next(from), await world.mail.next(from)].map(({ subject }) => subject);
    t.deepEqual(subjects.toSorted(), ['Your e-mail address is about to change', 'Your e-mail address was changed']);
    await page.goto(`${world.postern.issuer}/account`);
    await signIn(page, from, PASSWORD);
    await page.waitForSelector('[role=alert]');
    await signIn(page, to, PASSWORD);
    await shown(page, 'account');
    await Promise.all([desk.context.close(), phone.context.close()]);
  },
);

for (const colorScheme of ['light', 'dark'] as const)
  test.serial(`a mail reads well in a browser, ${colorScheme}, at the desk and on a phone`, async (t) => {
    const email = `reader-${colorScheme}@example.com`;
    await world.postern.domain.joins.invite({ email, locale: 'de' });
    const { html, attachments } = await world.mail.next(email);
    const logo = `data:image/png;base64,${Buffer.from(attachments[0]?.content as ArrayBuffer).toString('base64')}`;
    for (const [name, width] of Object.entries({ desk: 900, phone: 320 })) {
      const { context, page } = await own({ colorScheme, viewport: { width, height: 700 } });
      await page.setContent((html ?? '').replace(/cid:[^"]+/, logo));
      t.deepEqual(await axe(page), [], name);
      t.true(((await page.evaluate('document.documentElement.scrollWidth')) as number) <= width);
      await screenshot(page, `mailed-mail-${colorScheme}-${name}`);
      await context.close();
    }
  });
