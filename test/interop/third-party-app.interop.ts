import { join } from 'node:path';
import test from 'ava';
import type { Browser, Page } from 'playwright-core';
import { openBrowser, screenshot } from '../browser/browser.ts';
import { freePort } from '../support/free-port.ts';
import { addClient } from '../support/postern.ts';
import { apiTests } from './support/api-tests.ts';
import { signInAt } from './support/browser-steps.ts';
import { installed } from './support/places.ts';
import { type Program, startProgram } from './support/program.ts';
import { AUDIENCE, newPerson, type World } from './support/world.ts';

const node = (file: string, env: Record<string, string>, port?: number) =>
  startProgram({
    command: process.execPath,
    args: [join(installed('third-party-app'), file)],
    cwd: installed('third-party-app'),
    env,
    ...(port !== undefined && { port }),
  });

const drive = apiTests(test, {
  protectedPath: '/files',
  protectedScope: 'files.read',
  scoped: { path: '/files', readScope: 'files.read', writeScope: 'files.write' },
  async start({ env, machine }: World) {
    return node('drive.js', { ...env, DRIVE_ID: machine.id, DRIVE_SECRET: machine.secret });
  },
});

let browser: Browser;
let app: Program;

test.serial.before(async () => {
  browser = await openBrowser();
  const { postern, env } = drive.world;
  const port = await freePort();
  const { id, secret = '' } = await addClient(postern, {
    name: 'Photo Prints',
    redirectUris: [`http://localhost:${port}/callback`],
    scopes: ['files.read'],
    resources: [AUDIENCE],
  });
  const own = { CLIENT_ID: id, CLIENT_SECRET: secret, DRIVE: drive.api.url, APP_URL: `http://localhost:${port}` };
  app = await node('app.js', { ...env, ...own }, port);
});
test.after.always(async () => {
  await browser?.close();
  await app?.stop();
});

/** The application's page in a browser of its own, and the person asked for what it wants. */
async function connect(): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(app.url);
  await page.getByRole('button', { name: 'Connect your drive' }).click();
  await signInAt(page, await newPerson(drive.world));
  await page.waitForSelector('main[data-page=consent]');
  return page;
}

test('a person allows an application to read, and it can read and not write', async (t) => {
  const page = await connect();
  const consent = await page.innerText('main');
  t.true(consent.includes('Photo Prints') && consent.includes('files.read'), consent);
  t.false(consent.includes('files.write'), consent);
  await screenshot(page, 'interop-third-party-consent');
  await page.click('[name=decision][value=allow]');
  t.is(await page.innerText('#status'), '200');
  t.true((await page.innerText('#answer')).includes('a.jpg'));
  await page.getByRole('button', { name: 'Add a file' }).click();
  t.is(await page.innerText('#status'), '403');
  t.true((await page.innerText('#answer')).includes('insufficient_scope'));
  await screenshot(page, 'interop-third-party-refused');
});

test('the person sees it among the applications they allowed, withdraws it there, and it stops at once', async (t) => {
  const page = await connect();
  await page.click('[name=decision][value=allow]');
  t.is(await page.innerText('#status'), '200');
  const account = await page.context().newPage();
  await account.goto(`${drive.world.postern.issuer}/account/applications`);
  const connected = account.locator('li', { hasText: 'Photo Prints' });
  t.true((await connected.innerText()).includes('files.read'));
  await screenshot(account, 'interop-third-party-connected');
  await connected.getByRole('button', { name: /^Take back/ }).click();
  await account.waitForSelector('[role=status]');
  t.is(await account.locator('li', { hasText: 'Photo Prints' }).count(), 0);
  await page.goto(app.url);
  t.is(await page.innerText('[role=alert]'), 'Your drive is no longer connected.');
  t.false(await page.locator('#status').isVisible());
  await page.getByRole('button', { name: 'Connect your drive' }).click();
  await page.waitForSelector('main[data-page=consent]');
});

test('who does not allow it is told so by the application, and may think again', async (t) => {
  const page = await connect();
  await page.click('[name=decision][value=deny]');
  t.is(await page.innerText('[role=alert]'), 'You did not allow it.');
  t.true(await page.getByRole('button', { name: 'Connect your drive' }).isVisible());
});

test('no script of the application’s page can read what it is remembered by', async (t) => {
  const page = await connect();
  t.is(await page.evaluate('document.cookie'), '');
  const own = (await page.context().cookies(app.url)).find(({ name }) => name === 'prints');
  t.like(own, { httpOnly: true, sameSite: 'Lax' });
});
