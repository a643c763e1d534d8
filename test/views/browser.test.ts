import test from 'ava';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { PageData, PageName } from '../../src/http/pages.ts';
import { supportedLocales } from '../../src/words/index.ts';
import { axe, openBrowser, openPage, overflow, screenshot } from '../browser/browser.ts';
import { hostile, type Samples, usual } from './samples.ts';
import { openSite, type Site } from './site.ts';
import { upstreamsOtherwise } from './upstream-samples.ts';

/** Pages in other states than the usual one, by the name of the picture. */
const OTHERWISE: Readonly<Record<string, readonly [page: PageName, data: PageData[PageName]]>> = {
  'login-wrong': ['login', { ...usual.login, email: 'ada@example.com', error: 'wrong' }],
  ...upstreamsOtherwise,
};
const OTHERS = Object.entries(OTHERWISE).map(([name, [page, data]], i) => ({ name, page, data, set: 1 + i }));
const FIRST_HOSTILE = 1 + OTHERS.length;
const SETS: readonly Samples[] = [usual, ...OTHERS.map(({ page, data }) => ({ ...usual, [page]: data })), ...hostile];
const names = Object.keys(usual) as PageName[];
const phone = { width: 320, height: 640 };
const desktop = { width: 1280, height: 860 };

let browser: Browser;
let site: Site;

test.before(async () => {
  [browser, site] = await Promise.all([openBrowser(), openSite(SETS)]);
});

test.after.always(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

const open = (options: BrowserContextOptions) => openPage(browser, options);

/** What the form that `act` sends was filled with; waits until the answer is there. */
async function posted(page: Page, act: () => Promise<void>): Promise<Record<string, string>> {
  await Promise.all([page.waitForURL(/\/interaction\//), act()]);
  return Object.fromEntries(site.posted.at(-1) ?? []);
}

/** No colour changes how wide a thing is, and no rule of axe's is for one width of one scheme: each width and each scheme once. */
const LOOKS = [
  { colorScheme: 'light', viewport: phone },
  { colorScheme: 'dark', viewport: desktop },
] as const;

test('every page is accessible and fits, in light on a phone and in the dark at a desk', async (t) => {
  // A colour on its way to another is neither of the two.
  const { page, complaints } = await open({ reducedMotion: 'reduce' });
  const check = async (name: string) => {
    for (const { colorScheme, viewport } of LOOKS) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      const look = `${name}-${colorScheme}-${viewport.width}`;
      t.deepEqual(await axe(page), [], look);
      t.deepEqual(await overflow(page), [], look);
      await screenshot(page, look);
    }
  };
  for (const name of names) {
    await page.goto(site.address(name));
    t.is(await page.evaluate('document.querySelector("main").dataset.page'), name);
    await check(name);
  }
  for (const { name, page: shown, set } of OTHERS) {
    await page.goto(site.address(shown, { set }));
    await check(name);
  }
  t.deepEqual(complaints, []);
  await page.context().close();
});

test('every page fits in every language, on a phone and on a desk', async (t) => {
  for (const viewport of [phone, desktop]) {
    const { page, complaints } = await open({ viewport });
    for (const locale of supportedLocales.filter((each) => each !== 'en'))
      for (const name of names) {
        await page.goto(site.address(name, { locale }));
        t.deepEqual(await overflow(page), [], `${name} ${locale}`);
        t.is(await page.evaluate('document.documentElement.lang'), locale);
        await screenshot(page, `${name}-${locale}-${viewport.width}`);
      }
    t.deepEqual(complaints, []);
    await page.context().close();
  }
});

test.serial('a hostile text runs nothing and breaks no layout, however narrow', async (t) => {
  const { page, complaints } = await open({ viewport: phone });
  for (const set of hostile.keys()) {
    for (const name of names) {
      await page.goto(site.address(name, { set: FIRST_HOSTILE + set }));
      t.deepEqual(await overflow(page), [], `${name} ${set}`);
      t.not(await page.title(), 'owned');
      t.is(await page.evaluate('document.querySelectorAll("main :is(script, img, b)").length'), 0, `${name} ${set}`);
      if (name === 'consent') await screenshot(page, `consent-hostile-${set}`);
    }
  }
  t.deepEqual(complaints, []);
  await page.context().close();
});

/** One word alone takes one line. */
const WORDS_IN_TWO = `
  [...document.querySelectorAll('.pair button')]
    .filter((button) => {
      const range = document.createRange();
      range.selectNodeContents(button);
      return !button.textContent.trim().includes(' ') && range.getClientRects().length > 1;
    })
    .map((button) => button.textContent)`;

test.serial('with text twice as large no button breaks a short word, and nothing sticks out', async (t) => {
  const { page } = await open({ viewport: { width: 360, height: 740 } });
  for (const name of names) {
    await page.goto(site.address(name));
    await page.evaluate(`document.documentElement.style.setProperty('font-size', '200%')`);
    t.deepEqual(await overflow(page), [], name);
    t.deepEqual(await page.evaluate(WORDS_IN_TWO), [], name);
  }
  await page.context().close();
});

const TYPED = ['login', 'setup', 'join', 'reset', 'account-password'] as const;

test.serial(
  'a typed password can be looked at, by keyboard too, and is sent and left as a password again',
  async (t) => {
    const { page, complaints } = await open({ viewport: phone });
    for (const name of TYPED) {
      await page.goto(site.address(name));
      const field = page.locator('[name=password]');
      const button = (pressed: boolean) => page.getByRole('button', { name: 'Show password', exact: true, pressed });
      await field.fill('correct horse');
      await field.focus();
      await button(false).click();
      t.is(await field.getAttribute('type'), 'text', name);
      t.true(await field.evaluate((it) => it.matches(':focus')), `${name}: the keyboard of a phone stays`);
      await button(true).click();
      t.is(await field.getAttribute('type'), 'password', name);
      await page.keyboard.press('Tab');
      await page.keyboard.press('Space');
      t.is(await field.getAttribute('type'), 'text', name);
      t.is(await field.inputValue(), 'correct horse');
      t.deepEqual(await axe(page), [], name);
      t.deepEqual(await overflow(page), [], name);
      await screenshot(page, `${name}-shown`);
      // What the field is by the time the form is sent.
      await field.evaluate((it) =>
        it.closest('form')?.addEventListener('submit', (event: { preventDefault(): void }) => {
          event.preventDefault();
          it.dataset['sent'] = it.getAttribute('type') ?? '';
        }),
      );
      for (const email of await page.locator('[name=email]:not([readonly])').all()) await email.fill('ada@example.com');
      await field.press('Enter');
      t.is(await field.getAttribute('data-sent'), 'password', name);
    }
    t.deepEqual(complaints, []);
    await page.context().close();
  },
);

test.serial('without scripts there is no button that could show nothing', async (t) => {
  const { page } = await open({ viewport: phone, javaScriptEnabled: false });
  for (const name of TYPED) {
    await page.goto(site.address(name));
    t.is(await page.locator('.secret button:visible').count(), 0, name);
  }
  await page.context().close();
});

test.serial('signing in needs no mouse and no script', async (t) => {
  const { page } = await open({ viewport: desktop, javaScriptEnabled: false });
  await page.goto(site.address('login'));
  // The browser puts the focus there by itself, a moment after the page is there.
  await page.waitForSelector('[name=email]:focus');
  await page.keyboard.type('ada@example.com');
  await page.keyboard.press('Tab');
  await page.keyboard.type('correct horse');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await page.keyboard.press('Tab');
  t.deepEqual(await posted(page, () => page.keyboard.press('Enter')), {
    csrf: 'token',
    email: 'ada@example.com',
    password: 'correct horse',
  });
  await page.context().close();
});

test.serial(
  'Enter in a field signs in and keeps the person signed in; the second button cancels, with empty fields',
  async (t) => {
    const { page } = await open({ viewport: desktop });
    await page.goto(site.address('login'));
    await page.fill('[name=email]', 'ada@example.com');
    await page.fill('[name=password]', 'correct horse');
    t.deepEqual(await posted(page, () => page.keyboard.press('Enter')), {
      csrf: 'token',
      email: 'ada@example.com',
      password: 'correct horse',
      remember: 'yes',
    });
    await page.goto(site.address('login'));
    t.is((await posted(page, () => page.click('[name=decision][value=deny]')))['decision'], 'deny');
    await page.context().close();
  },
);

test.serial(
  'consent needs no mouse: allow, deny and switch come in this order, each with a visible focus',
  async (t) => {
    const { page } = await open({ viewport: phone });
    for (const [presses, decision] of ['allow', 'deny', 'switch'].entries()) {
      await page.goto(site.address('consent'));
      for (let i = 0; i <= presses; i++) await page.keyboard.press('Tab');
      const focus = page.locator(':focus');
      const outline = await focus.evaluate((it) => it.ownerDocument.defaultView?.getComputedStyle(it).outlineWidth);
      t.is(outline, '3px', decision);
      t.deepEqual(await posted(page, () => page.keyboard.press('Enter')), {
        csrf: 'token',
        told: 'openid profile',
        decision,
      });
    }
    await page.context().close();
  },
);

const PRESSED = [
  'login',
  'consent',
  'logout',
  'error',
  'forgot',
  'mail-sent',
  'reset',
  'join',
  'confirm',
  'done',
  'link-gone',
] as const;

test.serial('whatever can be pressed is at least 44 px high', async (t) => {
  const { page } = await open({ viewport: phone });
  for (const name of PRESSED) {
    await page.goto(site.address(name));
    for (const target of await page
      .locator('button, .actions a, .aside a, .onwards a, input:not([type=hidden], [type=checkbox]), .tick label')
      .all())
      t.true(((await target.boundingBox())?.height ?? 0) >= 44, `${name}: ${await target.innerText()}`);
  }
  await page.context().close();
});

test.serial('with forced colours every page still reads and every button has an edge', async (t) => {
  const { page } = await open({ viewport: phone, forcedColors: 'active' });
  for (const name of ['login', 'consent'] as const) {
    await page.goto(site.address(name));
    t.deepEqual(await axe(page), [], name);
    await screenshot(page, `${name}-forced-colours`);
  }
  await page.context().close();
});
