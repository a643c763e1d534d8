import { readFile } from 'node:fs/promises';
import test from 'ava';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { minutes } from '../../src/lib/index.ts';
import { AuthenticatorApp } from '../support/authenticator-app.ts';
import { pass } from '../support/clock.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { axe, openBrowser, openPage } from './browser.ts';
import { plugIn } from './security-key.ts';

const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1';

let browser: Browser;
let postern: Postern;
test.before(async () => {
  [browser, postern] = await Promise.all([openBrowser(), startPostern()]);
});
test.after.always(async () => {
  await browser?.close();
  await postern?.close();
});

let people = 0;
const somebody = () => addPerson(postern, `home${++people}@example.com`);

const open = (options?: BrowserContextOptions) => openPage(browser, options);

/** Goes to a page of the account and signs in, as whoever types the address does. */
async function goHome(page: Page, email: string, path = '/account') {
  await page.goto(`${postern.issuer}${path}`);
  await page.fill('[name=email]', email);
  await page.fill('[name=password]', PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForURL(`${postern.issuer}${path}*`);
}

const at = (page: Page) => page.locator('main').getAttribute('data-page');

test.serial(
  'with two browsers, a person sees both, signs the telephone out from the desk, and it is out',
  async (t) => {
    const { email } = await somebody();
    const desk = await open();
    const phone = await open({ userAgent: IPHONE, viewport: { width: 390, height: 844 } });
    await goHome(phone.page, email);
    await goHome(desk.page, email);
    await desk.page.click('text=Where you are signed in');
    t.is(await desk.page.locator('.cards > li').count(), 2);
    t.regex(await desk.page.locator('.cards > li').first().innerText(), /Chrome on Linux[\s\S]*This browser/);
    t.deepEqual(await axe(desk.page), []);
    await desk.page.getByRole('button', { name: 'Sign out Safari on iPhone' }).click();
    await desk.page.waitForSelector('text=That sign-in is ended.');
    t.is(await desk.page.locator('.cards > li').count(), 1);
    await phone.page.reload();
    t.is(await at(phone.page), 'login');
    t.deepEqual([...desk.complaints, ...phone.complaints], []);
  },
);

test.serial(
  'a person adds a passkey with a name, keeps the codes, signs in with it alone, renames it and takes it away',
  async (t) => {
    const { email } = await somebody();
    const { page, complaints } = await open();
    await plugIn(page);
    await goHome(page, email);
    await page.click('text=Two-step sign-in');
    await page.click('text=Add a passkey');
    await page.fill('[name=name]', 'Desk');
    await page.click('text=Create a passkey');
    await page.waitForSelector('[data-page=recovery-codes]');
    await page.click('text=I have kept them');
    await page.waitForSelector('[data-page=account-factors]');
    t.regex(await page.locator('.cards > li').innerText(), /Desk[\s\S]*Passkey/);

    await page.context().clearCookies();
    await page.goto(`${postern.issuer}/account`);
    // The authenticator answers the offer in the address field by itself.
    await page.waitForSelector('[data-page=account]');

    await page.click('text=Two-step sign-in');
    await page.click('summary:has-text("Rename")');
    await page.locator('.cards [name=name]').fill('Old desk');
    await page.click('.cards >> text=Save');
    await page.waitForSelector('text=It is renamed.');
    await page.getByRole('button', { name: 'Remove Old desk' }).click();
    await page.waitForSelector('text=It is removed.');
    t.is(await page.locator('.cards > li').count(), 0);
    t.deepEqual(complaints, []);
  },
);

test.serial('a double click adds an authenticator app once, and leads on to the recovery codes', async (t) => {
  const person = await somebody();
  const { page } = await open({ javaScriptEnabled: false });
  await goHome(page, person.email, '/account/totp');
  const secret = (await page.locator('.key code').textContent()) ?? '';
  await page.fill('[name=code]', new AuthenticatorApp(secret.replaceAll(' ', '')).code());
  await page.dblclick('button.primary', { delay: 10, noWaitAfter: true });
  await page.waitForSelector('[data-page=recovery-codes]');
  const own = await postern.domain.factors.list(person.id);
  t.deepEqual(
    own.map(({ kind }) => kind),
    ['totp', 'recovery'],
  );
});

test.serial('a double click deletes an account and says so, instead of asking who they are', async (t) => {
  const person = await somebody();
  const { page } = await open({ javaScriptEnabled: false });
  await goHome(page, person.email, '/account/data');
  await page.fill('[name=email]', person.email);
  await page.dblclick('button[value=delete]', { delay: 10, noWaitAfter: true });
  await page.waitForSelector('[data-page=account-deleted]');
  t.is(await postern.domain.accounts.get(person.id), undefined);
});

test.serial(
  'a person takes an application’s access back, downloads their data, and deletes the account, all without scripts',
  async (t) => {
    const person = await somebody();
    const client = await addClient(postern, { name: 'Fish Shop' });
    await postern.domain.consents.remember({
      accountId: person.id,
      clientId: client.id,
      scopes: ['openid'],
      resources: {},
    });
    const { page, complaints } = await open({ javaScriptEnabled: false, acceptDownloads: true });
    await goHome(page, person.email);
    await page.click('text=Applications you allowed');
    await page.getByRole('button', { name: 'Take back Fish Shop' }).click();
    await page.waitForSelector('text=The application has lost its access.');
    await page.click('text=Your account');
    await page.click('text=Your data');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('text=Download it')]);
    t.is(JSON.parse(await readFile(await download.path(), 'utf8')).account.email, person.email);
    await page.fill('[name=email]', person.email);
    await page.click('text=Delete my account');
    await page.waitForSelector('[data-page=account-deleted]');
    t.is(await postern.domain.accounts.get(person.id), undefined);
    t.deepEqual(complaints, []);
  },
);

test.serial(
  'a page of one’s data that was left open asks to sign in, and then offers the download again',
  async (t) => {
    const { email } = await somebody();
    const { page } = await open({ acceptDownloads: true });
    await goHome(page, email, '/account/data');
    pass(minutes(11));
    await page.click('text=Download it');
    await page.waitForSelector('[data-page=login]');
    await page.fill('[name=password]', PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-page=account-data]');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('text=Download it')]);
    t.is(download.suggestedFilename(), 'account.json');
    t.is(JSON.parse(await readFile(await download.path(), 'utf8')).account.email, email);
  },
);

test.serial('signing out on the account page leads to signing out, and the next visit to signing in', async (t) => {
  const { email } = await somebody();
  const { page } = await open();
  await goHome(page, email);
  await page.click('text=Sign out');
  await page.waitForSelector('[data-page=logout]');
  await page.click('button:has-text("Sign out")');
  await page.waitForSelector('[data-page=signed-out]');
  await page.goto(`${postern.issuer}/account`);
  t.is(await at(page), 'login');
});
