import { createServer } from 'node:net';
import test from 'ava';
import type { Browser, Page } from 'playwright-core';
import { type Demo, startDemo } from '../../examples/demo/demo.ts';
import { silent } from '../../src/lib/index.ts';
import { axe, openBrowser, screenshot } from './browser.ts';

let demo: Demo;
let browser: Browser;
const said: string[] = [];
const ports = { server: 13_000, app: 14_000, api: 15_000 };

test.before(async () => {
  browser = await openBrowser();
  demo = await startDemo({ log: silent, pid: process.pid, say: (line) => said.push(line), ports });
});
test.after.always(async () => {
  await browser?.close();
  await demo?.close();
});

/** A page of a browser of its own, whose console must stay empty. */
async function open(options: Parameters<Browser['newContext']>[0] = {}): Promise<{ page: Page; problems: string[] }> {
  const page = await (await browser.newContext(options)).newPage();
  const problems: string[] = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(error.message));
  return { page, problems };
}

async function signIn(page: Page): Promise<void> {
  await page.goto(demo.url);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForSelector('main[data-page=login]');
  await page.fill('[name=email]', demo.email);
  await page.fill('[name=password]', demo.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

test.serial('sign in, allow, and the application shows its decoded tokens and the API’s answer', async (t) => {
  const { page, problems } = await open();
  await page.goto(demo.url);
  await screenshot(page, 'demo-1-start');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForSelector('main[data-page=login]');
  await screenshot(page, 'demo-2-login');
  t.deepEqual(await axe(page), []);
  await page.fill('[name=email]', demo.email);
  await page.fill('[name=password]', demo.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForSelector('main[data-page=consent]');
  await screenshot(page, 'demo-3-consent');
  t.deepEqual(await axe(page), []);
  await page.click('[name=decision][value=allow]');
  await page.waitForSelector('main[data-page=signed-in]');
  await screenshot(page, 'demo-4-signed-in');
  t.regex(await page.innerText('h1'), /Ada Lovelace/);
  const text = await page.innerText('main');
  t.regex(text, /"typ": "at\+jwt"/);
  t.regex(text, /"typ": "rt\+jwt"/);
  t.regex(text, /"alg": "RS256"/);
  t.deepEqual(await page.$$eval('.answer', (all) => all.map((one) => one.getAttribute('data-status'))), ['200', '403']);
  t.deepEqual(problems, []);
});

test.serial('refresh and sign out work from the application’s page', async (t) => {
  const { page, problems } = await open();
  await signIn(page);
  await page.waitForSelector('main[data-page=signed-in]');
  const before = await page.locator('.token').nth(1).innerText();
  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.waitForSelector('.note');
  t.not(await page.locator('.token').nth(1).innerText(), before);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForSelector('main[data-page=logout]');
  await screenshot(page, 'demo-5-logout');
  t.deepEqual(await axe(page), []);
  await page.click('[name=logout][value=yes]');
  await page.waitForSelector('main[data-page=signed-out]');
  t.is(new URL(page.url()).origin, demo.url);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForSelector('main[data-page=login]');
  t.deepEqual(problems, []);
});

test.serial('a wrong password is told on the same page, in an alert, and signing in goes on from there', async (t) => {
  const { page } = await open();
  await page.goto(demo.url);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.fill('[name=email]', demo.email);
  await page.fill('[name=password]', 'not my password');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForSelector('[role=alert]');
  t.is(await page.inputValue('[name=email]'), demo.email);
  await page.fill('[name=password]', demo.password);
  await page.keyboard.press('Enter');
  await page.waitForSelector('main[data-page=signed-in]');
  t.pass();
});

test.serial('it all works with JavaScript turned off, on a phone, in the dark, by keyboard', async (t) => {
  const { page } = await open({ javaScriptEnabled: false, viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
  await page.goto(demo.url);
  await page.getByRole('button', { name: 'Sign in', exact: true }).press('Enter');
  await page.waitForSelector('main[data-page=login]');
  await page.locator('[name=email]').fill(demo.email);
  await page.keyboard.press('Tab');
  await page.keyboard.type(demo.password);
  await page.keyboard.press('Enter');
  await page.waitForSelector('main[data-page=signed-in]');
  await page.getByRole('button', { name: 'Sign out' }).press('Enter');
  await page.waitForSelector('main[data-page=logout]');
  await page.locator('[name=logout][value=yes]').press('Enter');
  await page.waitForSelector('main[data-page=signed-out]');
  t.pass();
});

test.serial('the back button after signing in shows no error and no old form', async (t) => {
  const { page } = await open();
  await signIn(page);
  await page.waitForSelector('main[data-page=signed-in]');
  await page.goBack();
  await page.waitForLoadState();
  t.is(await page.getAttribute('main', 'data-page'), 'answered');
  await page.click('.actions a');
  await page.waitForSelector('main[data-page=signed-in], main[data-page=signed-out]');
});

test.serial('a taken port gets a message and the next free one', async (t) => {
  const blocker = createServer().listen(13_500, '127.0.0.1');
  const lines: string[] = [];
  const other = await startDemo({
    log: silent,
    pid: process.pid,
    say: (line) => lines.push(line),
    ports: { server: 13_500, app: 14_500, api: 15_500 },
  });
  t.is(other.issuer, 'http://localhost:13501');
  t.deepEqual(lines, ['Port 13500 is in use by another program; taking 13501.']);
  await other.close();
  blocker.close();
});
