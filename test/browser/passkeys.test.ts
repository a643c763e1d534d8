import test from 'ava';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { addPerson, type Postern, startPostern } from '../support/postern.ts';
import { giveApp, PHR, TWO } from '../support/second-factor.ts';
import { type Application, openApplication, password } from './application.ts';
import { openBrowser, openPage } from './browser.ts';
import { plugIn } from './security-key.ts';

let browser: Browser;
let postern: Postern;
let application: Application;

test.before(async () => {
  [browser, postern] = await Promise.all([openBrowser(), startPostern()]);
  application = await openApplication(postern);
});
test.after.always(async () => {
  await browser?.close();
  await postern?.close();
  await application?.close();
});

const open = (options?: BrowserContextOptions) => openPage(browser, options);

let people = 0;
const somebody = () => addPerson(postern, `key${++people}@example.com`);

/** Somebody who makes a passkey, by way of an application that demands a second factor. */
async function withPasskey(page: Page, options: Parameters<typeof plugIn>[1] = {}) {
  const person = await somebody();
  const key = await plugIn(page, options);
  const asked = await application.begin(page, { acr_values: TWO });
  await password(page, person.email);
  await page.click('text=Create a passkey');
  await page.waitForSelector('[data-page=recovery-codes]');
  await page.click('text=I have kept them');
  return { person, key, claims: await application.back(page, asked) };
}

const signOut = (context: BrowserContext) => context.clearCookies();

test('a person makes a passkey while signing in, keeps the recovery codes, and the next time picks it from the e-mail field', async (t) => {
  const { page, context, complaints } = await open();
  const { person, key, claims } = await withPasskey(page);
  t.is(claims['acr'], TWO, 'the word that was asked for');
  t.deepEqual(claims['amr'], ['pwd', 'hwk', 'user', 'mfa']);
  t.is((await key.credentials()).length, 1);
  await signOut(context);
  // The virtual authenticator picks what the field offers: nobody presses anything.
  const again = await application.back(page, await application.begin(page));
  t.is(again.sub, person.id);
  t.is(again['acr'], PHR);
  t.deepEqual(again['amr'], ['hwk', 'user', 'mfa']);
  t.deepEqual(complaints, []);
  await context.close();
});

test('a person presses “Sign in with a passkey”, after they cancelled once', async (t) => {
  const { page, context, complaints } = await open();
  const { person, key } = await withPasskey(page);
  await signOut(context);
  await key.verify(false);
  await key.press(false);
  const asked = await application.begin(page);
  await key.press(true);
  await page.click('text=Sign in with a passkey');
  await page.waitForSelector('[data-passkey-failed]:not([hidden])');
  t.is(
    await page.locator('main').getAttribute('data-page'),
    'login',
    'a key that does not know its owner is none alone',
  );
  await key.verify(true);
  await page.click('text=Sign in with a passkey');
  t.is((await application.back(page, asked)).sub, person.id);
  t.deepEqual(complaints, []);
  await context.close();
});

test('after the password a person confirms with their security key, which need not know them', async (t) => {
  const { page, context } = await open();
  const { person, key } = await withPasskey(page, { transport: 'usb', hasUserVerification: false });
  await signOut(context);
  const asked = await application.begin(page);
  await password(page, person.email);
  await page.waitForSelector('[data-page=second-factor]');
  await page.click('text=Use your passkey');
  const claims = await application.back(page, asked);
  t.deepEqual(claims['amr'], ['pwd', 'hwk', 'user', 'mfa']);
  t.is(claims['acr'], PHR);
  t.is((await key.credentials())[0]?.signCount, 2);
  await context.close();
});

test('a passkey that was taken away is refused in words, and the password goes on', async (t) => {
  const { page, context } = await open();
  const { person } = await withPasskey(page);
  const app = await giveApp(postern, person);
  const own = await postern.domain.factors.list(person.id);
  await postern.domain.factors.remove(person.id, own.find(({ kind }) => kind === 'passkey')!.id, { evenLast: false });
  await signOut(context);
  const asked = await application.begin(page);
  await page.waitForSelector('[role=alert]');
  t.regex(await page.innerText('[role=alert]'), /passkey did not work here/);
  await password(page, person.email);
  await page.fill('[name=code]', app.fresh());
  await page.keyboard.press('Enter');
  t.is((await application.back(page, asked)).sub, person.id);
  await context.close();
});

test('who has no key at hand types a code instead', async (t) => {
  const { page, context } = await open();
  const { person, key } = await withPasskey(page);
  const app = await giveApp(postern, person);
  await signOut(context);
  await key.unplug();
  const asked = await application.begin(page);
  await password(page, person.email);
  await page.waitForSelector('[data-page=second-factor]');
  t.false(await page.isVisible('[name=code]'), 'the passkey comes first');
  await page.click('text=Use a code instead');
  await page.fill('[name=code]', app.fresh());
  await page.keyboard.press('Enter');
  t.deepEqual((await application.back(page, asked))['amr'], ['pwd', 'otp', 'mfa']);
  await context.close();
});

test('an application wants a passkey: a person with an app proves that, makes a passkey, and is not asked again', async (t) => {
  const { page, context, complaints } = await open();
  const person = await somebody();
  const app = await giveApp(postern, person);
  await plugIn(page);
  const asked = await application.begin(page, { acr_values: PHR });
  await password(page, person.email);
  await page.fill('[name=code]', app.fresh());
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-page=enrol]');
  t.is(await page.locator('[name=code]').count(), 0, 'a code would not do');
  await page.click('text=Create a passkey');
  t.is((await application.back(page, asked))['acr'], PHR);
  t.is((await application.back(page, await application.begin(page, { acr_values: PHR })))['acr'], PHR);
  t.deepEqual(complaints, []);
  await context.close();
});

test('without JavaScript nobody is shown a passkey, and a code does', async (t) => {
  const { page, context } = await open({ javaScriptEnabled: false });
  const person = await somebody();
  const app = await giveApp(postern, person);
  const asked = await application.begin(page);
  t.false(await page.isVisible('text=Sign in with a passkey'));
  await password(page, person.email);
  await page.fill('[name=code]', app.fresh());
  await page.getByRole('button', { name: 'Continue', exact: true }).click();
  t.is((await application.back(page, asked)).sub, person.id);
  await context.close();
});
