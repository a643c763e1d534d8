import test from 'ava';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { hours } from '../../src/lib/index.ts';
import { pass } from '../support/clock.ts';
import { addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { type Application, arrived, openApplication } from './application.ts';
import { openBrowser, screenshot } from './browser.ts';

/** What people do with a browser, in a real one. Scripts are off: nothing here may hang on them. */
let browser: Browser;
let postern: Postern;
let library: Application;
test.before(async () => {
  [browser, postern] = await Promise.all([openBrowser(), startPostern()]);
  [library] = await Promise.all([openApplication(postern), addPerson(postern)]);
});
test.after.always(async () => {
  await browser?.close();
  await postern?.close();
  await library?.close();
});

const open = () => browser.newContext({ javaScriptEnabled: false, viewport: { width: 360, height: 740 } });
const tab = async (context: BrowserContext): Promise<Page> => {
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  return page;
};
const shown = (page: Page) => page.getAttribute('main', 'data-page');
/** From here on a password is looked at once another was sent too: the second of two clicks comes before the first is answered. */
function secondOf(accounts: Postern['domain']['accounts']): void {
  const { authenticate } = accounts;
  const second = Promise.withResolvers<void>();
  let sent = 0;
  const patient: typeof authenticate = async (...given) => {
    sent += 1;
    if (sent === 2) second.resolve();
    await second.promise;
    return authenticate(...given);
  };
  Object.assign(accounts, { authenticate: patient });
}
/** The next answer that ends an interaction is made, and does not leave before it is released: a browser waits for it meanwhile. */
function heldAnswer(store: Postern['store']) {
  const { commit } = store;
  const [made, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const held: typeof commit = async (changes) => {
    await commit.call(store, changes);
    if (!changes.some((change) => 'remove' in change && change.remove === 'interactions')) return;
    Object.assign(store, { commit });
    made.resolve();
    await released.promise;
  };
  Object.assign(store, { commit: held });
  return { made: made.promise, release: released.resolve };
}
const fill = async (page: Page) => {
  await page.fill('[name=email]', 'ada@example.com');
  await page.fill('[name=password]', PASSWORD);
};

test.serial(
  'two tabs at the sign-in page: the second goes on after the first, and reloading it needs no password',
  async (t) => {
    const context = await open();
    const [one, two, three] = [await tab(context), await tab(context), await tab(context)];
    const [first, second, third] = [await library.begin(one), await library.begin(two), await library.begin(three)];
    for (const page of [one, two]) await fill(page);
    await one.keyboard.press('Enter');
    const { sub } = await library.back(one, first);
    await two.bringToFront();
    await two.press('[name=password]', 'Enter');
    t.is((await library.back(two, second)).sub, sub);
    pass(hours(2));
    await three.reload();
    t.is((await library.back(three, third)).sub, sub);
    await context.close();
  },
);

test.serial('a double click on the button signs in once and arrives, and so does one on “Sign out”', async (t) => {
  const context = await open();
  const page = await tab(context);
  const asked = await library.begin(page);
  await fill(page);
  secondOf(postern.domain.accounts);
  await page.dblclick('button.primary', { delay: 10, noWaitAfter: true });
  const { sub } = await library.back(page, asked);
  t.is(
    (await postern.store.find('sessions', 'accountId', sub)).rows.length,
    1 + 1,
    'the browser of before, and this one',
  );
  await page.goto(`${postern.issuer}/logout`);
  await page.dblclick('button.primary', { delay: 10, noWaitAfter: true });
  await page.waitForSelector('[data-page=signed-out]');
  t.is((await postern.store.find('sessions', 'accountId', sub)).rows.length, 1);
  await context.close();
});

test.serial(
  'a double click whose second takes the place of the very answer that signs in arrives, and stays so',
  async (t) => {
    const context = await open();
    const page = await tab(context);
    const asked = await library.begin(page);
    await fill(page);
    const answer = heldAnswer(postern.store);
    const { x, y } = (await page.locator('button.primary').boundingBox())!;
    const click = async () => {
      const sent = page.waitForRequest((each) => each.method() === 'POST');
      await page.mouse.click(x + 5, y + 5);
      await sent;
    };
    await click();
    await answer.made;
    await click();
    answer.release();
    const { sub } = await library.back(page, asked);
    t.is((await library.back(page, await library.begin(page, { prompt: 'none' }))).sub, sub);
    await context.close();
  },
);

test.serial('a double click on “Cancel” arrives, also where it takes the place of the very answer', async (t) => {
  for (const how of ['twice at once', 'before the answer came']) {
    const context = await open();
    const page = await tab(context);
    await library.begin(page);
    const button = page.locator('button[value=deny]');
    if (how === 'twice at once') await button.dblclick({ delay: 10, noWaitAfter: true });
    else {
      const answer = heldAnswer(postern.store);
      const { x, y } = (await button.boundingBox())!;
      await page.mouse.click(x + 5, y + 5);
      await answer.made;
      const sent = page.waitForRequest((each) => each.method() === 'POST');
      await page.mouse.click(x + 5, y + 5);
      await sent;
      answer.release();
    }
    await arrived(page, (url) => url.searchParams.get('error') === 'access_denied');
    t.not(new URL(page.url()).origin, postern.issuer, how);
    await context.close();
  }
});

test.serial('back from the application: the page says that it is done, and leads on', async (t) => {
  const context = await open();
  const page = await tab(context);
  const asked = await library.begin(page);
  await fill(page);
  await page.keyboard.press('Enter');
  await library.back(page, asked);
  await page.goBack();
  t.is(await shown(page), 'answered');
  await page.click('.actions a');
  await library.back(page, asked);
  await context.close();
});

test.serial('a bookmarked sign-in page begins anew the next morning, and is no dead end a week later', async (t) => {
  const context = await open();
  const page = await tab(context);
  const asked = await library.begin(page);
  const bookmark = page.url();
  pass(hours(14));
  await page.goto(bookmark);
  t.is(await shown(page), 'login');
  await fill(page);
  await page.keyboard.press('Enter');
  await library.back(page, asked);
  await context.clearCookies();
  const answer = await page.goto(bookmark);
  t.is(answer?.status(), 400);
  t.regex(await page.innerText('[role=alert]'), /go back to the application/);
  await screenshot(page, 'error-no-cookies');
  await context.close();
});
