import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { discover, type Request, redeem, request } from '../support/client.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { openBrowser } from './browser.ts';
import { plugIn } from './security-key.ts';

const TWO = 'urn:postern:acr:two-factor';

let browser: Browser;
let postern: Postern;
let client: Awaited<ReturnType<typeof addClient>>;
let callback: string;
const application = createServer((_, answer) => answer.end('back at the application'));

test.before(async () => {
  [browser, postern] = await Promise.all([openBrowser(), startPostern()]);
  await new Promise<void>((listening) => application.listen(0, '127.0.0.1', listening));
  callback = `http://127.0.0.1:${(application.address() as AddressInfo).port}/callback`;
  client = await addClient(postern, { firstParty: true, redirectUris: [callback] });
});
test.after.always(async () => {
  await browser?.close();
  await postern?.close();
  application.close();
});

/** A browser whose console has nothing to say: what a policy blocks is said there. */
async function open(options: Parameters<Browser['newContext']>[0] = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  return { context, page, complaints };
}

const begin = async (page: Page, parameters: Record<string, string> = {}): Promise<Request> => {
  const asked = await request(await discover(postern, client), { redirect_uri: callback, ...parameters });
  await page.goto(asked.url.href);
  return asked;
};

/** Waits until the browser is back at the application. */
async function back(page: Page, asked: Request) {
  await page.waitForURL((url) => url.href.startsWith(callback));
  return (await redeem(asked, new URL(page.url()))).claims()!;
}

async function password(page: Page, email: string) {
  await page.fill('[name=email]', email);
  await page.fill('[name=password]', PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForSelector('main:not([data-page=login])');
}

let people = 0;

/** Somebody who has made a passkey, by way of an application that demands a second factor. */
async function withPasskey(page: Page) {
  const person = await addPerson(postern, `key${++people}@example.com`);
  const key = await plugIn(page);
  const asked = await begin(page, { acr_values: TWO });
  await password(page, person.email);
  await page.click('text=Create a passkey');
  await page.waitForSelector('[data-page=recovery-codes]');
  await page.click('text=I have kept them');
  return { person, key, claims: await back(page, asked) };
}

const signOut = (context: BrowserContext) => context.clearCookies();

test('a person makes a passkey while signing in, keeps the recovery codes, and signs in with it alone the next time', async (t) => {
  const { page, context, complaints } = await open();
  const { person, key, claims } = await withPasskey(page);
  t.is(claims['acr'], TWO, 'the word that was asked for');
  t.deepEqual(claims['amr'], ['pwd', 'hwk', 'user', 'mfa']);
  t.is((await key.credentials()).length, 1);
  await signOut(context);
  const asked = await begin(page);
  // Chosen from the field's own list, or by the button: the virtual authenticator answers whichever asks.
  const again = await Promise.race([
    back(page, asked),
    page.click('text=Sign in with a passkey').then(() => back(page, asked)),
  ]);
  t.is(again.sub, person.id);
  t.is(again['acr'], 'phr');
  t.deepEqual(again['amr'], ['hwk', 'user', 'mfa']);
  t.deepEqual(complaints, []);
  await context.close();
});
