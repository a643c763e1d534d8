import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { discover, type Request, redeem, request } from '../support/client.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { type BareProvider, OUTBOUND, startBareProvider } from '../support/upstreams.ts';
import { axe, openBrowser, openPage, screenshot } from './browser.ts';

let browser: Browser;
let postern: Postern;
let client: Awaited<ReturnType<typeof addClient>>;
let callback: string;
const providers: Record<string, BareProvider> = {};
const application = createServer((_, answer) => answer.end('back at the application'));

test.before(async () => {
  [browser, postern] = await Promise.all([openBrowser(), startPostern({ env: OUTBOUND })]);
  await new Promise<void>((listening) => application.listen(0, '127.0.0.1', listening));
  callback = `http://127.0.0.1:${(application.address() as AddressInfo).port}/callback`;
  client = await addClient(postern, { firstParty: true, redirectUris: [callback] });
  for (const id of ['open', 'closed', 'down']) {
    const { upstreams } = postern.domain;
    const bare = await startBareProvider(upstreams.callbackOf(id));
    providers[id] = bare;
    await upstreams.add({
      id,
      name: { open: 'City of Riverside', closed: 'Riverside College', down: 'Riverside Radio' }[id]!,
      kind: 'oidc',
      issuer: bare.issuer,
      clientId: 'postern',
      clientSecret: 'a secret of the test',
      scopes: ['openid', 'email', 'profile'],
      trustsEmail: id === 'open',
      signsUp: id === 'open',
    });
  }
  await providers['down']![Symbol.asyncDispose]();
});
test.after.always(async () => {
  await browser?.close();
  await postern?.close();
  await Promise.all(Object.values(providers).map((each) => each[Symbol.asyncDispose]()));
  application.close();
});

async function visit(options?: BrowserContextOptions) {
  const { page, complaints } = await openPage(browser, options, (_, url) => url.startsWith(postern.issuer));
  page.setDefaultTimeout(60_000);
  const asked = await request(await discover(postern, client), { redirect_uri: callback });
  await page.goto(asked.url.href);
  return { page, complaints, asked };
}

/** Signs in at the provider, on its own pages, and says yes there. */
async function signInThere(page: Page, login: string): Promise<void> {
  await page.waitForURL((url) => url.hostname === '127.0.0.1');
  await page.fill('[name=login]', login);
  await page.fill('[name=password]', 'any');
  await page.click('button[type=submit]');
  await page.click('button[type=submit]');
}

async function claimsAt(page: Page, asked: Request) {
  await page.waitForURL((url) => url.href.startsWith(callback));
  return (await redeem(asked, new URL(page.url()))).claims()!;
}

/** A page as a person meets it: readable by everybody, and kept as a picture. */
async function look(t: ExecutionContext, page: Page, name: string): Promise<void> {
  t.deepEqual(await axe(page), [], name);
  await screenshot(page, name);
}

test.serial('somebody new signs in with the city’s account, and is back at the application', async (t) => {
  const { page, complaints, asked } = await visit();
  await page.click('text=Continue with City of Riverside');
  await signInThere(page, 'ada');
  const claims = await claimsAt(page, asked);
  t.like(claims, { email: 'ada@bare.example', name: 'Bare ada' });
  t.deepEqual(complaints, []);
  await page.context().close();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test.serial(
    `somebody on a phone links the college to their account, and next time needs no password: ${colorScheme}`,
    async (t) => {
      const email = `${colorScheme}@example.com`;
      const person = await addPerson(postern, email);
      const options = { colorScheme, viewport: { width: 320, height: 640 } };
      const { page, complaints, asked } = await visit(options);
      await page.click('text=Continue with Riverside College');
      await signInThere(page, colorScheme);
      await page.waitForSelector('text=You came back from');
      await look(t, page, `upstream-linking-${colorScheme}-320`);
      await page.fill('[name=email]', email);
      await page.fill('[name=password]', PASSWORD);
      await page.keyboard.press('Enter');
      await page.waitForSelector('[data-page=link]');
      await page.click('button[value=link]');
      t.is((await claimsAt(page, asked)).sub, person.id);
      t.deepEqual(complaints, []);
      await page.context().close();

      const again = await visit(options);
      await again.page.click('text=Continue with Riverside College');
      await signInThere(again.page, colorScheme);
      t.like(await claimsAt(again.page, again.asked), { sub: person.id, amr: ['fed'] });
      await again.page.context().close();
    },
  );

  test.serial(`somebody whose provider is down reads so, and takes the password: ${colorScheme}`, async (t) => {
    const email = `down-${colorScheme}@example.com`;
    await addPerson(postern, email);
    const { page, asked } = await visit({ colorScheme, locale: 'de-DE' });
    await page.click('text=Weiter mit Riverside Radio');
    await page.waitForSelector('[role=alert]');
    t.regex(await page.innerText('[role=alert]'), /Riverside Radio.* ist gerade nicht erreichbar/);
    await look(t, page, `upstream-down-${colorScheme}-1280`);
    await page.fill('[name=email]', email);
    await page.fill('[name=password]', PASSWORD);
    await page.keyboard.press('Enter');
    t.truthy(await claimsAt(page, asked));
    await page.context().close();
  });
}

test.serial('somebody who goes back from the provider finds the sign-in page as it was', async (t) => {
  const email = 'back@example.com';
  await addPerson(postern, email);
  const { page, asked } = await visit();
  await page.click('text=Continue with City of Riverside');
  await page.waitForURL((url) => url.hostname === '127.0.0.1');
  await page.goBack();
  await page.waitForSelector('[data-page=login]');
  await page.fill('[name=email]', email);
  await page.fill('[name=password]', PASSWORD);
  await page.keyboard.press('Enter');
  t.truthy(await claimsAt(page, asked));
  await page.context().close();
});

test.serial('somebody links the college on their account page, and signs in by it from then on', async (t) => {
  const email = 'linker@example.com';
  const { id } = await addPerson(postern, email);
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${postern.issuer}/account/linked`);
  await page.fill('[name=email]', email);
  await page.fill('[name=password]', PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-page=account-linked]');
  await page.click('main :text("Riverside College")');
  await signInThere(page, 'linker');
  await page.waitForSelector('[data-page=account-linked]');
  await page.waitForSelector('text=linker@bare.example');
  await look(t, page, 'upstream-linked-light-1280');
  await page.context().close();

  const again = await visit();
  await again.page.click('text=Continue with Riverside College');
  await signInThere(again.page, 'linker');
  t.is((await claimsAt(again.page, again.asked)).sub, id);
  await again.page.context().close();
});
