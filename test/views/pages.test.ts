import test from 'ava';
import { createPages, type PageContext, type PageName } from '../../src/http/pages.ts';
import { hostile, usual } from './samples.ts';

const pages = createPages({ brand: { name: 'Postern', accent: '#1f5fbf' } });
const names = Object.keys(usual) as PageName[];

const context = (accepted: string[] = [], uiLocales?: unknown) => {
  const headers: Record<string, string> = {};
  const ctx = {
    state: { uiLocales },
    status: 0,
    type: '',
    body: '' as unknown,
    response: { get: (field: string) => headers[field] ?? '' },
    acceptsLanguages: () => accepted,
    set: (field: string, value: string) => {
      headers[field] = value;
    },
    vary: (field: string) => {
      headers['Vary'] = field;
    },
  } satisfies PageContext;
  return { ctx, headers };
};

test('every page names itself on main and its language on html', (t) => {
  for (const name of names) {
    const html = pages.render(name, usual[name], 'de');
    t.regex(html, /^<!doctype html>\n<html lang="de" dir="ltr">/, name);
    t.true(html.includes(`<main class="card" data-page="${name}">`), name);
    t.notRegex(html, /undefined|\[object|NaN/, name);
  }
});

test('no page holds a script or style of its own or anything from elsewhere', (t) => {
  for (const name of names) {
    const html = pages.render(name, usual[name], 'en');
    t.notRegex(html, /<script(?! src="\/assets\/[\w.-]+" defer><\/script>)|<style|\sstyle=|\son\w+=/i, name);
    t.notRegex(html, /(?:src|<link[^>]+href)="(?!\/assets\/)/, name);
  }
});

test('a hostile text comes out escaped wherever it stands', (t) => {
  for (const [i, samples] of hostile.entries()) {
    for (const name of names) {
      const html = pages.render(name, samples[name], 'en');
      t.notRegex(html, /<script(?! src="\/assets\/)|<img src=x|<b>|onerror="/, `${name} ${i}`);
      t.notRegex(
        // What stands in a field is sent as it is.
        html.replace(/(?:value|name|action|href)="[^"]*"|<textarea[^>]*>[^<]*/g, ''),
        /[\u202A-\u202E\u2066-\u2069]/,
        `${name} ${i}`,
      );
      t.notRegex(html, /javascript:/, `${name} ${i}`);
    }
  }
});

test('hidden fields carry their values unchanged', (t) => {
  const html = pages.render('logout', { action: '/', fields: { 'a"b': 'x<\u202E>&' } }, 'en');
  t.true(html.includes('<input type="hidden" name="a&quot;b" value="x&lt;\u202E&gt;&amp;">'));
});

test('the page is in the first language of ui_locales that is ours, then of Accept-Language, then English', (t) => {
  const language = (accepted: string[], uiLocales?: unknown) => {
    const { ctx, headers } = context(accepted, uiLocales);
    pages.show(ctx, 'home', usual.home);
    return headers['Content-Language'];
  };
  t.is(language(['de-AT', 'en']), 'de');
  t.is(language(['de'], 'fr-CA en-GB'), 'en');
  t.is(language(['de'], 'fr'), 'de');
  t.is(language(['en'], 'DE-ch'), 'de');
  t.is(language(['fr', '*']), 'en');
  t.is(language([]), 'en');
  for (const odd of ['', ' ', 'constructor', 'x'.repeat(9999), 17, ['de'], null]) t.is(language([], odd), 'en');
});

test('a page is shown with its status and is never kept', (t) => {
  const { ctx, headers } = context();
  pages.show(ctx, 'error', usual.error, 400);
  t.is(ctx.status, 400);
  t.is(ctx.type, 'html');
  t.is(headers['Cache-Control'], 'no-store');
  t.is(headers['Vary'], 'Accept-Language');
});

test('an error message is an alert, and the title says so', (t) => {
  const login = (error: 'wrong' | 'busy' | { tooMany: number }) =>
    pages.render('login', { ...usual.login, error }, 'en');
  t.regex(login('wrong'), /<title>Error: Sign in[\s\S]*role="alert"[\s\S]*do not match/);
  t.regex(login('busy'), /role="alert"[\s\S]*Many people/);
  t.regex(login({ tooMany: 1 }), /role="alert"[\s\S]*try again in 1 minute\./);
  t.regex(login({ tooMany: 12.2 }), /role="alert"[\s\S]*try again in 13 minutes\./);
  t.regex(pages.render('error', usual.error, 'en'), /role="alert"[\s\S]*not registered/);
  t.notRegex(pages.render('login', usual.login, 'en'), /role="alert"|Error:/);
});

test('whoever mistyped an address is led on', (t) => {
  t.regex(pages.render('not-found', {}, 'en'), /<a [^>]*href="\/account"/);
});

test('the first empty field has the cursor', (t) => {
  t.regex(pages.render('login', { ...usual.login, email: '' }, 'en'), /name="email"[^>]* autofocus>/);
  t.regex(pages.render('login', { ...usual.login, email: 'a@b' }, 'en'), /name="password"[^>]* autofocus>/);
});

test('wherever a password is typed a password manager finds whose it is, in a field that it looks at', (t) => {
  for (const name of names) {
    const fields = [...pages.render(name, usual[name], 'en').matchAll(/<input[^>]*>/g)].map(([tag]) => tag);
    // What a provider gave an operator is nobody's password.
    if (!fields.some((tag) => tag.includes('type="password"') && !tag.includes('name="client_secret"'))) continue;
    const whose = fields.filter((tag) => /autocomplete="username\b/.test(tag));
    t.is(whose.length, 1, name);
    t.notRegex(whose[0] ?? '', /type="hidden"/, name);
  }
});

test('who has nothing but a passkey is told where no script asks for it', (t) => {
  const { mailed, ...page } = usual['second-factor'];
  const alone = pages.render('second-factor', { ...page, kinds: ['passkey'], passkey: {} }, 'en');
  t.regex(alone, /<noscript>.*JavaScript.*<\/noscript>/s);
  const several = pages.render('second-factor', { ...page, mailed, kinds: ['passkey', 'totp'], passkey: {} }, 'en');
  t.notRegex(several, /<noscript>/);
});

test('a scope without words of ours is shown by its name, even if it is called like one of our messages', (t) => {
  const html = (scope: string) => pages.render('consent', { ...usual.consent, scopes: [scope], resources: [] }, 'en');
  for (const scope of ['orders:read', 'openid.detail', 'unknown', 'toString', '__proto__'])
    t.true(html(scope).includes(`<code><bdi>${scope}</bdi></code>`), scope);
  t.true(html('email').includes('ada@example.com</bdi></span>'), 'the address that would be seen');
});

test('a link goes to http(s) or to this server, or is not there', (t) => {
  const link = (retry: string) =>
    /<a class="plain" href="([^"]*)"/.exec(pages.render('error', { ...usual.error, retry }, 'en'))?.[1];
  t.is(link('/account?x=1'), '/account?x=1');
  t.is(link('https://example.com/x'), 'https://example.com/x');
  t.is(link('//evil.example/'), 'https://evil.example/');
  for (const bad of ['javascript:alert(1)', ' JaVaScript:alert(1)', 'data:text/html,x', 'vbscript:x', 'http://'])
    t.is(link(bad), undefined, bad);
});
