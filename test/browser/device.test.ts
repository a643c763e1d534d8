import test from 'ava';
import * as oidc from 'openid-client';
import type { Browser } from 'playwright-core';
import { discover } from '../support/client.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { axe, openBrowser, screenshot } from './browser.ts';

let browser: Browser;
let postern: Postern;
test.before(async () => {
  [browser, postern] = await Promise.all([openBrowser(), startPostern()]);
  await addPerson(postern);
});
test.after.always(async () => {
  await browser?.close();
  await postern?.close();
});

test('somebody connects a television with a telephone, without a script, and it is signed in', async (t) => {
  const television = await addClient(postern, {
    name: 'Living-room television',
    type: 'native',
    redirectUris: [],
    deviceGrant: true,
  });
  const config = await discover(postern, television);
  const shown = await oidc.initiateDeviceAuthorization(config, { scope: 'openid profile offline_access' });
  const phone = await browser.newContext({ viewport: { width: 390, height: 800 }, javaScriptEnabled: false });
  const page = await phone.newPage();
  page.setDefaultTimeout(60_000);

  await page.goto(shown.verification_uri);
  await page.fill('[name=user_code]', 'bbbb bbbb');
  await page.keyboard.press('Enter');
  t.regex((await page.textContent('[role=alert]')) ?? '', /No device waits/);
  await page.fill('[name=user_code]', shown.user_code.toLowerCase());
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-page=login]');
  t.regex((await page.textContent('main')) ?? '', /Living-room television\s*on another device/);
  await screenshot(page, 'device-login');
  await page.fill('[name=email]', 'ada@example.com');
  await page.fill('[name=password]', PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-page=consent]');
  await screenshot(page, 'device-consent');
  await page.click('button[value=allow]');
  await page.waitForSelector('[data-page=device-done]');
  await page.reload();
  t.is(await page.textContent('h1'), 'The device is connected');
  await page.goBack();
  t.not(await page.getAttribute('main', 'data-page'), 'error');

  const tokens = await oidc.pollDeviceAuthorizationGrant(config, { ...shown, interval: 0 });
  t.is(tokens.claims()?.['name'], 'Ada Lovelace');
  await phone.close();
});

test('the page that an address with a code opens is one that people can use, and asks before it does anything', async (t) => {
  const television = await addClient(postern, { type: 'native', redirectUris: [], deviceGrant: true });
  const shown = await oidc.initiateDeviceAuthorization(await discover(postern, television), { scope: 'openid' });
  const page = await (await browser.newContext({ colorScheme: 'dark' })).newPage();
  await page.goto(shown.verification_uri_complete!);
  t.is(await page.inputValue('[name=user_code]'), shown.user_code);
  t.deepEqual(await axe(page), []);
  await screenshot(page, 'device-brought');
  await page.click('button:has-text("Continue")');
  await page.waitForSelector('[data-page=login]');
  t.deepEqual(await axe(page), []);
  await page.click('button[value=deny]');
  await page.waitForSelector('[data-page=device-done]');
  t.is(await page.textContent('h1'), 'The device is not connected');
});
