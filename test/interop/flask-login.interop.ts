import test from 'ava';
import type { Browser, Page } from 'playwright-core';
import { openBrowser, screenshot } from '../browser/browser.ts';
import { freePort } from '../support/free-port.ts';
import { addClient } from '../support/postern.ts';
import { signInAt } from './support/browser-steps.ts';
import { example, PYTHON } from './support/places.ts';
import { type Program, startProgram } from './support/program.ts';
import { SECRET_KEY } from './support/starts.ts';
import { newPerson, startWorld, type World } from './support/world.ts';

let world: World;
let app: Program;
let browser: Browser;

test.before(async () => {
  world = await startWorld();
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const { id, secret = '' } = await addClient(world.postern, {
    name: 'A Flask site',
    redirectUris: [`${url}/callback`],
    postLogoutRedirectUris: [`${url}/`],
  });
  app = await startProgram({
    command: PYTHON,
    args: ['-m', 'flask', '--app', 'app', 'run', '--port', 'PORT'],
    cwd: example('flask-login'),
    env: { ...world.env, CLIENT_ID: id, CLIENT_SECRET: secret, SECRET_KEY, APP_URL: url },
    port,
  });
  browser = await openBrowser();
});
test.after.always(async () => {
  await browser?.close();
  await app?.stop();
  await world?.close();
});

const open = async (): Promise<Page> => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(app.url);
  return page;
};

async function signIn(page: Page): Promise<{ email: string }> {
  const person = await newPerson(world);
  await page.getByRole('link', { name: 'Login with Postern' }).click();
  await signInAt(page, person);
  await page.click('[name=decision][value=allow]');
  await page.waitForURL(`${app.url}/`);
  return person;
}

test('Authlib finds everything by discovery, signs in by code with PKCE, and the page says who it is', async (t) => {
  const page = await open();
  const asked = page.waitForRequest((request) => request.url().includes('/authorize?'));
  await page.getByRole('link', { name: 'Login with Postern' }).click();
  const { searchParams } = new URL((await asked).url());
  t.is(searchParams.get('response_type'), 'code');
  t.is(searchParams.get('code_challenge_method'), 'S256');
  t.truthy(searchParams.get('state'));
  t.truthy(searchParams.get('nonce'));
  await page.goto(app.url);
  const { email } = await signIn(page);
  const person = await world.postern.domain.accounts.byEmail(email);
  t.is(await page.innerText('h1'), 'Hello Grace Hopper');
  t.is(person?.id, await page.innerText('#sub'));
  t.is(await page.innerText('#email'), email);
  await screenshot(page, 'interop-flask-login');
});

test('signing out at the application ends the session at Postern: it asks for the password again', async (t) => {
  const page = await open();
  await signIn(page);
  await page.context().clearCookies({ domain: 'localhost', name: 'session' });
  await page.goto(app.url);
  await page.getByRole('link', { name: 'Login with Postern' }).click();
  await page.waitForURL(`${app.url}/`);
  t.is(await page.innerText('h1'), 'Hello Grace Hopper', 'Postern still knew them');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForSelector('main[data-page=logout]');
  await page.click('[name=logout][value=yes]');
  await page.waitForURL(`${app.url}/`);
  t.is(await page.innerText('h1'), 'Who are you?');
  await page.getByRole('link', { name: 'Login with Postern' }).click();
  await page.waitForSelector('main[data-page=login]');
});

test('who does not allow it is back at the application, not signed in and told so', async (t) => {
  const page = await open();
  await page.getByRole('link', { name: 'Login with Postern' }).click();
  await signInAt(page, await newPerson(world));
  await page.click('[name=decision][value=deny]');
  await page.waitForSelector('[role=alert]');
  t.is(await page.innerText('h1'), 'Who are you?');
});

test('a callback that nobody asked for signs nobody in', async (t) => {
  for (const query of ['', '?code=x', '?code=x&state=y', '?error=access_denied']) {
    const answer = await fetch(`${app.url}/callback${query}`);
    t.is(answer.status, 400, `${query}: ${app.said()}`);
    t.true((await answer.text()).includes('Who are you?'));
  }
});

test('no script of the page can read the session cookie', async (t) => {
  const page = await open();
  await signIn(page);
  t.is(await page.evaluate('document.cookie'), '');
  const own = (await page.context().cookies(app.url)).find(({ name }) => name === 'session');
  t.like(own, { httpOnly: true, sameSite: 'Lax' });
});
