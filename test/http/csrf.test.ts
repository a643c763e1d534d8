import test from 'ava';
import type { Context } from 'koa';
import { CSRF_FIELD, createCsrf, readForm } from '../../src/http/index.ts';
import { edge, ISSUER } from './support.ts';

const KEYS = ['k'.repeat(32), 'o'.repeat(32)];
const FORM = '/interaction/a';

async function site({ issuer = ISSUER, keys = () => [KEYS[0]!] as readonly string[] } = {}) {
  const csrf = createCsrf({ issuer, secrets: keys });
  return edge(
    [
      async (ctx: Context) => {
        if (ctx.method === 'GET') ctx.body = { token: csrf.token(ctx), again: csrf.token(ctx) };
        else {
          csrf.check(ctx, await readForm(ctx));
          ctx.body = 'accepted';
        }
      },
    ],
    { issuer },
  );
}
type Site = Awaited<ReturnType<typeof site>>;

async function show(s: Site, path = FORM) {
  const response = await s.get(path);
  const { token, again } = (await response.json()) as { token: string; again: string };
  const set = response.headers.getSetCookie();
  return { token, again, set, cookie: set[0]?.split(';')[0] ?? '' };
}

const send = (
  s: Site,
  { token, cookie }: { token?: string; cookie?: string },
  headers: Record<string, string> = {},
  path = FORM,
) =>
  s.get(path, {
    method: 'POST',
    headers: { ...(cookie !== undefined && { cookie }), ...headers },
    body: new URLSearchParams(token === undefined ? { a: '1' } : { [CSRF_FIELD]: token }),
  });

test('a form we showed to this browser is accepted, twice as well', async (t) => {
  await using s = await site();
  const { token, again, cookie } = await show(s);
  t.not(token, again);
  for (const shown of [token, again, token]) t.is((await send(s, { token: shown, cookie })).status, 200);
});

test('everything else is 403 and says nothing of why', async (t) => {
  await using s = await site();
  const mine = await show(s);
  const theirs = await show(s);
  const elsewhere = await show(s, '/interaction/b');
  const cases: Record<string, { token?: string; cookie?: string }> = {
    'no cookie': { token: mine.token },
    'no token': { cookie: mine.cookie },
    'an empty token': { token: '', cookie: mine.cookie },
    'another browser’s token': { token: theirs.token, cookie: mine.cookie },
    'another browser’s cookie': { token: mine.token, cookie: theirs.cookie },
    'another form’s token': { token: elsewhere.token, cookie: elsewhere.cookie },
    'a changed token': { token: mine.token.slice(0, -1) + (mine.token.endsWith('A') ? 'B' : 'A'), cookie: mine.cookie },
    'the cookie as token': { token: mine.cookie.split('=')[1] ?? '', cookie: mine.cookie },
    'a planted cookie': { token: mine.token, cookie: '__Host-postern.csrf=x' },
  };
  for (const [what, sent] of Object.entries(cases)) {
    const response = await send(s, sent);
    t.is(response.status, 403, what);
    t.like(
      await response.json(),
      { error: 'access_denied', error_description: 'This form has expired. Go back, reload the page and try again.' },
      what,
    );
  }
  t.is(s.kept.length, Object.keys(cases).length);
});

test('a form sent by another site is refused even with cookie and token', async (t) => {
  await using s = await site();
  const mine = await show(s);
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
    { origin: 'http://id.example.com' },
    { origin: 'https://id.example.com.evil.example' },
  ])
    t.is((await send(s, mine, headers as Record<string, string>)).status, 403, JSON.stringify(headers));
  for (const headers of [
    { 'sec-fetch-site': 'same-origin', origin: ISSUER },
    { 'sec-fetch-site': 'same-origin', origin: 'null' },
    { 'sec-fetch-site': 'none' },
  ])
    t.is((await send(s, mine, headers as Record<string, string>)).status, 200, JSON.stringify(headers));
});

test('the cookie is __Host-, Secure, HttpOnly and Lax on https, and set once', async (t) => {
  await using s = await site();
  const { set, cookie } = await show(s);
  t.is(set.length, 1);
  t.regex(set[0] ?? '', /^__Host-postern\.csrf=[\w-]{22}; path=\/; samesite=lax; secure; httponly$/);
  t.is((await s.get(FORM, { headers: { cookie } })).headers.getSetCookie().length, 0);
});

test('on loopback http it has no prefix and is not Secure', async (t) => {
  await using s = await site({ issuer: 'http://localhost:3000' });
  const { set, cookie, token } = await show(s);
  t.regex(set[0] ?? '', /^postern\.csrf=[\w-]{22}; path=\/; samesite=lax; httponly$/);
  t.is((await send(s, { token, cookie })).status, 200);
});

test('a form shown before the keys rotated is accepted, one under a key that is gone is not', async (t) => {
  let keys = [KEYS[1]!];
  await using s = await site({ keys: () => keys });
  const old = await show(s);
  keys = [KEYS[0]!, KEYS[1]!];
  t.is((await send(s, old)).status, 200);
  const fresh = await show(s);
  keys = [KEYS[0]!];
  t.is((await send(s, old)).status, 403);
  t.is((await send(s, fresh)).status, 200);
});
