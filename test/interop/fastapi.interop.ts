import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import type { Browser, Page } from 'playwright-core';
import { openBrowser, screenshot } from '../browser/browser.ts';
import { freePort } from '../support/free-port.ts';
import { addClient } from '../support/postern.ts';
import { apiTests } from './support/api-tests.ts';
import { signInAt } from './support/browser-steps.ts';
import { example, installed, PYTHON } from './support/places.ts';
import { startProgram } from './support/program.ts';
import { AUDIENCE, newPerson, PERSON, type World } from './support/world.ts';

let docsClient: string;
let browser: Browser;

const running = apiTests(test, {
  protectedPath: '/users/me',
  scoped: { path: '/files', readScope: 'files.read', writeScope: 'files.write' },
  async start(world: World) {
    const port = await freePort();
    const { id } = await addClient(world.postern, {
      name: 'The API’s own pages',
      type: 'spa',
      redirectUris: [`http://localhost:${port}/docs/oauth2-redirect`],
      passwordGrant: true,
      resources: [AUDIENCE],
    });
    docsClient = id;
    return startProgram({
      command: PYTHON,
      args: ['-m', 'uvicorn', 'main:app', '--port', 'PORT'],
      cwd: example('fastapi'),
      env: { ...world.env, DOCS_CLIENT_ID: id },
      port,
    });
  },
});
test.before(async () => {
  browser = await openBrowser();
});
test.after.always(() => browser?.close());

/** /docs as a person's browser shows it; what FastAPI loads from a CDN comes from the same package of the registry. */
async function openDocs(): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.context().route(/swagger-ui-dist@\d+\//, async (route) => {
    const name = new URL(route.request().url()).pathname.split('/').at(-1) ?? '';
    await route.fulfill({
      body: readFileSync(join(installed('swagger-ui'), 'node_modules/swagger-ui-dist', name)),
      contentType: name.endsWith('.css') ? 'text/css' : 'text/javascript',
    });
  });
  await page.context().route(/favicon/, (route) => route.fulfill({ status: 204 }));
  await page.goto(`${running.api.url}/docs`);
  await page.locator('.auth-wrapper .authorize').first().click();
  return page;
}

/** Try it out → Execute; the status the page shows. */
async function tryOut(page: Page, operation: string): Promise<string> {
  const block = page.locator(`#operations-default-${operation}`);
  await block.locator('.opblock-summary-control').click();
  await block.getByRole('button', { name: 'Try it out' }).click();
  await block.getByRole('button', { name: 'Execute' }).click();
  return block.locator('.live-responses-table tr.response .response-col_status').first().innerText();
}

test('/docs: Authorize with a password → Try it out → 200', async (t) => {
  const page = await openDocs();
  const form = page.locator('.auth-container', { hasText: 'OAuth2PasswordBearer' });
  await form.locator('#oauth_username').fill(PERSON.email);
  await form.locator('#oauth_password').fill(PERSON.password);
  t.is(await form.locator('#client_id_password').inputValue(), docsClient);
  t.true(await form.locator('input[id^="files.read"]').isChecked());
  await form.locator('button.authorize').click();
  await form.getByText('Authorized').first().waitFor();
  await screenshot(page, 'interop-fastapi-password');
  await page.locator('.modal-ux .close-modal').click();
  t.regex(await tryOut(page, 'read_files_files_get'), /^200/);
  t.regex(await tryOut(page, 'write_file_files_post'), /^403/);
});

test('/docs: Authorize by authorization code with PKCE → Try it out → 200', async (t) => {
  const page = await openDocs();
  const form = page.locator('.auth-container', { hasText: 'OAuth2AuthorizationCodeBearer' });
  const popup = page.waitForEvent('popup');
  const asked = page.context().waitForEvent('request', (request) => request.url().includes('/authorize?'));
  await form.locator('button.authorize').click();
  const signIn = await popup;
  const { searchParams } = new URL((await asked).url());
  t.is(searchParams.get('code_challenge_method'), 'S256');
  await signInAt(signIn, await newPerson(running.world));
  await signIn.click('[name=decision][value=allow]');
  await form.getByText('Authorized').first().waitFor();
  await screenshot(page, 'interop-fastapi-code');
  await page.locator('.modal-ux .close-modal').click();
  t.regex(await tryOut(page, 'read_files_files_get'), /^200/);
});

test('the token endpoint answers scripts of the client’s own origin, and of no other', async (t) => {
  const ask = (origin: string) =>
    fetch(`${running.world.postern.issuer}/token`, {
      method: 'POST',
      headers: { origin },
      body: new URLSearchParams({
        grant_type: 'password',
        client_id: docsClient,
        username: PERSON.email,
        password: PERSON.password,
      }),
    });
  const own = new URL(running.api.url).origin;
  t.is((await ask(own)).headers.get('access-control-allow-origin'), own);
  const other = await ask('http://localhost:1');
  t.is(other.headers.get('access-control-allow-origin'), null);
  t.not(other.status, 200);
});

test('an async client makes fifty requests at once', async (t) => {
  const { machine, env } = running.world;
  const { stdout } = await promisify(execFile)(PYTHON, ['client.py'], {
    cwd: example('fastapi'),
    env: { ...env, CLIENT_ID: machine.id, CLIENT_SECRET: machine.secret, API: running.api.url },
  });
  t.is(stdout.trim(), '50 of 50 answered 200');
});
