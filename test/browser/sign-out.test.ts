import test from 'ava';
import * as oidc from 'openid-client';
import type { Browser, Page } from 'playwright-core';
import { addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { type Application, openApplication } from './application.ts';
import { axe, openBrowser } from './browser.ts';

let browser: Browser;
let postern: Postern;
let library: Application;
let archive: Application;
test.before(async () => {
  [browser, postern] = await Promise.all([openBrowser(), startPostern()]);
  [library, archive] = await Promise.all([openApplication(postern), openApplication(postern)]);
});
test.after.always(async () => {
  await browser?.close();
  await postern?.close();
  await Promise.all([library.close(), archive.close()]);
});

const open = async (options: Parameters<Browser['newContext']>[0] = {}) => {
  const page = await (await browser.newContext(options)).newPage();
  page.setDefaultTimeout(60_000);
  return page;
};

async function password(page: Page, email: string): Promise<void> {
  await page.fill('[name=email]', email);
  await page.fill('[name=password]', PASSWORD);
  await page.keyboard.press('Enter');
}

test.serial('two people who share a laptop choose who they are', async (t) => {
  const [ada, grace] = [
    await addPerson(postern, 'ada@example.com', 'Ada'),
    await addPerson(postern, 'grace@example.com', 'Grace'),
  ];
  const page = await open({ colorScheme: 'dark' });
  const first = await library.begin(page);
  await password(page, ada.email);
  await library.back(page, first);

  const second = await library.begin(page, { prompt: 'select_account' });
  t.deepEqual(await axe(page), []);
  await page.click('text=Another account');
  await page.waitForSelector('[data-page=login]');
  await password(page, grace.email);
  t.is((await library.back(page, second)).sub, grace.id);

  const third = await library.begin(page, { prompt: 'select_account' });
  t.is(await page.locator('button[name=person]').count(), 3);
  await page.click('button:has-text("Grace")');
  t.is((await library.back(page, third)).sub, grace.id, 'who is signed in types nothing');

  const fourth = await library.begin(page, { prompt: 'select_account' });
  await page.click('button:has-text("Ada")');
  await page.waitForSelector('[data-page=login]');
  t.is(await page.inputValue('[name=email]'), ada.email);
  await password(page, ada.email);
  t.is((await library.back(page, fourth)).sub, ada.id);

  await library.begin(page, { prompt: 'select_account' });
  await page.click('text=Forget the accounts on this device');
  await page.waitForSelector('[data-page=login]');
  t.is(await page.inputValue('[name=email]'), '');
  await page.context().close();
});

test.serial('somebody who leaves one application stays in the other, and leaves both where they say so', async (t) => {
  const { email } = await addPerson(postern, 'leaver@example.com');
  const page = await open();
  const here = await library.begin(page);
  await password(page, email);
  await library.back(page, here);
  await archive.back(page, await archive.begin(page));

  const leave = oidc.buildEndSessionUrl(here.config, { client_id: here.config.clientMetadata().client_id }).href;
  await page.goto(leave);
  t.deepEqual(await axe(page), []);
  await page.click('text=Only from Riverside Library');
  await page.waitForSelector('[data-page=signed-out]');
  await archive.back(page, await archive.begin(page, { prompt: 'none' }));

  await page.goto(leave);
  await page.click('text=Sign out everywhere on this device');
  await page.waitForSelector('[data-page=signed-out]');
  await archive.begin(page);
  t.is(await page.locator('main').getAttribute('data-page'), 'login');
  await page.context().close();
});
