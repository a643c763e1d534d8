import { join } from 'node:path';
import test from 'ava';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { openBrowser, screenshot } from '../browser/browser.ts';
import { freePort } from '../support/free-port.ts';
import { addClient } from '../support/postern.ts';
import { signInAt } from './support/browser-steps.ts';
import { installed } from './support/places.ts';
import { type Program, startProgram } from './support/program.ts';
import { newPerson, startWorld, type World } from './support/world.ts';

let world: World;
let clientId: string;
let app: Program;
let browser: Browser;

test.before(async () => {
  world = await startWorld();
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const { id } = await addClient(world.postern, {
    name: 'A browser-only application',
    type: 'spa',
    redirectUris: [`${url}/callback`],
    postLogoutRedirectUris: [`${url}/`],
  });
  clientId = id;
  app = await startProgram({
    command: process.execPath,
    args: [join(installed('spa'), 'serve.js')],
    cwd: installed('spa'),
    env: { ...world.env, CLIENT_ID: id },
    port,
  });
  browser = await openBrowser();
});
test.after.always(async () => {
  await browser?.close();
  await app?.stop();
  await world?.close();
});

async function signedIn(): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(app.url);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await signInAt(page, await newPerson(world));
  await page.click('[name=decision][value=allow]');
  await page.getByRole('heading', { name: 'Hello Grace Hopper' }).waitFor();
  return page;
}

/** Presses “Refresh” and waits for the page to be done with it; what the page then says is wrong. */
async function refresh(page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.locator('body:not([data-busy])').waitFor();
  return page.innerText('#problem');
}

const stored = (page: Page): Promise<{ access_token: string; refresh_token: string }> =>
  page.evaluate(() =>
    JSON.parse(Object.entries(localStorage).find(([key]) => key.startsWith('oidc.user:'))?.[1] ?? ''),
  );

/** Lets no token request through before `count` of them are there, so that the server gets them at one moment. */
async function gather(context: BrowserContext, count: number): Promise<{ readonly sent: string[] }> {
  const sent: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  await context.route(`${world.postern.issuer}/token`, async (route) => {
    sent.push(new URLSearchParams(route.request().postData() ?? '').get('refresh_token') ?? '');
    if (sent.length >= count) resolve();
    await promise;
    await route.continue();
  });
  return { sent };
}

test('a public client signs in with PKCE, refreshes by rotation and signs out', async (t) => {
  const page = await signedIn();
  await screenshot(page, 'interop-spa');
  const first = await stored(page);
  t.is(await refresh(page), '');
  const second = await stored(page);
  t.not(second.refresh_token, first.refresh_token);
  t.is(await page.innerText('h1'), 'Hello Grace Hopper');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForSelector('main[data-page=logout]');
  await page.click('[name=logout][value=yes]');
  await page.getByRole('heading', { name: 'Who are you?' }).waitFor();
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForSelector('main[data-page=login]');
});

test('two tabs that refresh with the same token at the same moment both stay signed in', async (t) => {
  const one = await signedIn();
  const two = await one.context().newPage();
  await two.goto(app.url);
  await two.getByRole('heading', { name: 'Hello Grace Hopper' }).waitFor();
  const { sent } = await gather(one.context(), 2);
  t.deepEqual(await Promise.all([refresh(one), refresh(two)]), ['', '']);
  t.is(sent.length, 2);
  t.is(sent[0], sent[1], 'the same token twice');
  for (const page of [one, two]) {
    t.is(await refresh(page), '');
    await page.reload();
    await page.getByRole('heading', { name: 'Hello Grace Hopper' }).waitFor();
  }
});

test('a page of another origin learns nothing from the token endpoint, whatever it presents', async (t) => {
  const { refresh_token } = await stored(await signedIn());
  const elsewhere = await (await browser.newContext()).newPage();
  await elsewhere.goto(`${app.url.replace('localhost', '127.0.0.1')}/nothing-here`);
  const ask = ([url = '', refresh_token = '', client_id = '']: string[]) =>
    fetch(url, { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token, client_id }) })
      .then((answer) => answer.text())
      .catch((error: Error) => error.message);
  const given = [`${world.postern.issuer}/token`, refresh_token, clientId];
  t.is(await elsewhere.evaluate(ask, given), 'Failed to fetch');
});
