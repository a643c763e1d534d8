import test from 'ava';
import type { Browser } from 'playwright-core';
import { addPerson, type Postern, startPostern } from '../support/postern.ts';
import { password } from './application.ts';
import { axe, openBrowser, screenshot } from './browser.ts';

let browser: Browser;
let postern: Postern;
test.before(async () => {
  [browser, postern] = await Promise.all([openBrowser(), startPostern({ env: { POSTERN_REGISTRATION: 'open' } })]);
  await addPerson(postern);
});
test.after.always(async () => {
  await browser?.close();
  await postern?.close();
});

const CAUTIONS = {
  en: /^Nobody here vouches for this application: it registered itself, .* only if you trust app\.example\.com\.$/,
  de: /^Für diese Anwendung bürgt hier niemand: Sie hat sich selbst registriert, .* app\.example\.com vertrauen\.$/,
} as const;

for (const [locale, caution] of Object.entries(CAUTIONS))
  for (const colorScheme of ['light', 'dark'] as const)
    test.serial(
      `whoever is asked by an application that registered itself is warned: ${locale}, ${colorScheme}`,
      async (t) => {
        const redirect_uri = 'https://app.example.com/callback';
        const answer = await fetch(`${postern.issuer}/register`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ client_name: 'Your Bank', redirect_uris: [redirect_uri] }),
        });
        const { client_id } = (await answer.json()) as { client_id: string };
        const context = await browser.newContext({ locale, colorScheme, viewport: { width: 320, height: 740 } });
        const page = await context.newPage();
        const url = new URL(`${postern.issuer}/authorize`);
        url.search = new URLSearchParams({
          ...{ client_id, redirect_uri, response_type: 'code', scope: 'openid email' },
          ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' },
        }).toString();
        await page.goto(url.href);
        await password(page, 'ada@example.com');
        t.is(await page.getAttribute('main', 'data-page'), 'consent');
        t.regex((await page.locator('.caution').textContent()) ?? '', caution);
        t.deepEqual(await axe(page), []);
        t.true(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'));
        await screenshot(page, `consent-registered-itself-${locale}-${colorScheme}`);
        await context.close();
      },
    );
