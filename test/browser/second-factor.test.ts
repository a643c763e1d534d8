import { readFileSync } from 'node:fs';
import test from 'ava';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { AuthenticatorApp } from '../support/authenticator-app.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { giveApp } from '../support/second-factor.ts';
import { type Application, openApplication, password } from './application.ts';
import { axe, openBrowser, openPage, screenshot } from './browser.ts';
import { plugIn } from './security-key.ts';

const PHONE = { width: 360, height: 740 };
const DESK = { width: 1280, height: 860 };

let browser: Browser;
let mail: MailServer;
let postern: Postern;
let application: Application;

test.before(async () => {
  [browser, mail] = await Promise.all([openBrowser(), startMailServer()]);
  const env = { POSTERN_SMTP_URL: mail.url, POSTERN_EMAIL_CODES: 'on', POSTERN_SECOND_FACTOR: 'operators' };
  postern = await startPostern({ env });
  application = await openApplication(postern);
});
test.after.always(async () => {
  await browser?.close();
  await postern?.close();
  await Promise.all([application?.close(), mail?.close()]);
});

/** A wrong code is a page with the status 400, which the console tells. */
const open = (options?: BrowserContextOptions) => openPage(browser, options, (text) => !text.includes('status of 400'));

let people = 0;
const somebody = (more: object = {}) =>
  postern.domain.accounts.add({
    email: `two${++people}@example.com`,
    password: PASSWORD,
    emailVerified: true,
    ...more,
  });

/** What axe finds, and what sticks out, in light at a desk and in the dark on a phone; with a picture of each. */
async function flaws(page: Page, name: string): Promise<string[]> {
  const found: string[] = [];
  for (const [how, colorScheme, viewport] of [
    ['light-desk', 'light', DESK],
    ['dark-phone', 'dark', PHONE],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(viewport);
    found.push(...(await axe(page)).map((flaw) => `${name} ${how}: ${flaw}`));
    const wide = await page.evaluate('document.documentElement.scrollWidth');
    if (Number(wide) > viewport.width) found.push(`${name} ${how}: ${wide} px wide`);
    await screenshot(page, `${name}-${how}`);
  }
  return found;
}

/** The eight digits of the next mail that has some: of a new factor people are told by mail, too. */
async function mailed(email: string): Promise<string> {
  return /\b\d{8}\b/.exec((await mail.next(email)).text ?? '')?.[0] ?? mailed(email);
}

test('a person sets up an app, saves the recovery codes as a file, and signs in by one of them when the phone is lost', async (t) => {
  const { page, context, complaints } = await open({ acceptDownloads: true });
  const person = await somebody({ admin: true });
  await plugIn(page);
  const asked = await application.begin(page);
  await password(page, person.email);
  await page.waitForSelector('[data-page=enrol]');
  t.deepEqual(await flaws(page, 'enrol-passkey'), []);
  await page.click('text=Use an authenticator app instead');
  t.deepEqual(await flaws(page, 'enrol-app'), []);
  const app = new AuthenticatorApp((await page.locator('.key code').textContent())!.replaceAll(' ', ''));
  await page.fill('[name=code]', '000000');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[role=alert]');
  t.true(await page.isVisible('[name=code]'), 'the way that was chosen stays open');
  t.deepEqual(await flaws(page, 'enrol-wrong'), []);
  await page.fill('[name=code]', app.fresh());
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-page=recovery-codes]');
  t.deepEqual(await flaws(page, 'recovery-codes'), []);
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('text=Save as a text file')]);
  t.is(download.suggestedFilename(), 'recovery-codes.txt');
  const codes = readFileSync((await download.path())!, 'utf8').match(/^[0-9A-Z-]{14}$/gm) ?? [];
  t.is(codes.length, 10);
  await page.click('text=I have kept them');
  await application.back(page, asked);
  await context.clearCookies();
  const again = await application.begin(page);
  await password(page, person.email);
  await page.fill('[name=code]', codes[7]!.toLowerCase());
  await page.keyboard.press('Enter');
  t.is((await application.back(page, again)).sub, person.id);
  t.deepEqual(complaints, []);
  await context.close();
});

test('a person types a wrong code, is told so where they are, and goes on', async (t) => {
  const { page, context } = await open({ javaScriptEnabled: false });
  const person = await somebody();
  const app = await giveApp(postern, person);
  const asked = await application.begin(page);
  await password(page, person.email);
  await page.waitForSelector('[name=code]:focus');
  await page.keyboard.type('12 34 56');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[role=alert]');
  t.is(await page.getAttribute('[name=code]', 'aria-invalid'), 'true');
  await page.fill('[name=code]', app.fresh());
  await page.keyboard.press('Enter');
  t.is((await application.back(page, asked)).sub, person.id);
  await context.close();
});

test('a person without their phone has a code mailed, beside the passkey and the app they own', async (t) => {
  const { page, context, complaints } = await open();
  const person = await somebody();
  const key = await plugIn(page);
  const first = await application.begin(page, { acr_values: 'phr' });
  await password(page, person.email);
  // To begin with, the mailbox is all they can prove.
  t.deepEqual(await flaws(page, 'second-factor-mail-only'), []);
  await page.getByRole('button', { name: 'Send me a code by e-mail' }).click();
  await page.fill('[name=code]', await mailed(person.email));
  await page.keyboard.press('Enter');
  await page.click('text=Create a passkey');
  await page.click('text=I have kept them');
  t.is((await application.back(page, first))['acr'], 'phr');
  await giveApp(postern, person);
  await context.clearCookies();
  await key.unplug();
  const asked = await application.begin(page);
  t.deepEqual(await flaws(page, 'login-with-passkey'), []);
  await password(page, person.email);
  t.deepEqual(await flaws(page, 'second-factor-passkey'), []);
  await page.click('text=Use a code instead');
  t.deepEqual(await flaws(page, 'second-factor-all'), []);
  await page.getByRole('button', { name: 'Send me a code by e-mail' }).click();
  const code = await mailed(person.email);
  await page.waitForSelector('text=Send another code', { state: 'attached' });
  t.true(await page.isVisible('[name=code]'), 'who had it mailed is about to type it');
  t.deepEqual(await flaws(page, 'second-factor-mailed'), []);
  await page.fill('[name=code]', code);
  await page.keyboard.press('Enter');
  t.deepEqual((await application.back(page, asked))['amr'], ['pwd', 'otp', 'mca', 'mfa']);
  t.deepEqual(complaints, []);
  await context.close();
});
