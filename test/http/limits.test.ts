import test from 'ava';
import { ENDPOINTS, endpointFinder, REQUEST_LIMITS, stateOf } from '../../src/http/index.ts';
import { answer, edge } from './support.ts';

const site = () => edge([answer((ctx) => stateOf(ctx).endpoint?.path ?? 'none')]);

test('a URL of 8 KiB is served and a longer one is 414', async (t) => {
  await using s = await site();
  const path = `/authorize?x=${'y'.repeat(REQUEST_LIMITS.url - '/authorize?x='.length)}`;
  t.is((await s.get(path)).status, 200);
  t.is((await s.get(`${path}z`)).status, 414);
  t.is((await s.browse(`${path}z`)).headers.get('content-type'), 'text/html; charset=utf-8');
});

test('headers beyond 16 KiB are refused before they reach us', async (t) => {
  await using s = await site();
  t.regex(await s.raw(`GET /${'x'.repeat(17_000)} HTTP/1.1\r\nHost: a\r\n\r\n`), /^HTTP\/1\.1 431 /);
});

test('a body announced beyond 56 KiB is 413 in OAuth’s JSON, whoever asks', async (t) => {
  await using s = await site();
  for (const accept of ['application/json', 'text/html']) {
    const response = await s.get('/token', {
      method: 'POST',
      body: 'x'.repeat(REQUEST_LIMITS.body + 1),
      headers: { accept },
    });
    t.is(response.status, 413);
    t.like(await response.json(), { error: 'invalid_request' });
  }
  t.is((await s.get('/token', { method: 'POST', body: 'x'.repeat(REQUEST_LIMITS.body) })).status, 200);
});

test('a hundred parameters are served and one more is 400', async (t) => {
  await using s = await site();
  const query = (n: number) => Array.from({ length: n }, (_, i) => `p${i}=`).join('&');
  t.is((await s.get(`/authorize?${query(100)}`)).status, 200);
  t.is((await s.get(`/authorize?${query(101)}`)).status, 400);
});

test('a URL that is no text is 400', async (t) => {
  await using s = await site();
  for (const path of [
    '/authorize?a=%',
    '/authorize?a=%ff',
    '/authorize/%00',
    '/%c0%ae',
    '/authorize?a=%00',
    '/interaction/%zz',
  ])
    t.is((await s.ask(path)).status, 400, path);
  t.is((await s.ask('/authorize?a=%E2%82%AC+%20')).status, 200);
});

test('a wrong method on a known path is 405 and names the right ones', async (t) => {
  await using s = await site();
  const cases: [string, string, string][] = [
    ['GET', '/token', 'POST, OPTIONS'],
    ['DELETE', '/token', 'POST, OPTIONS'],
    ['PUT', '/authorize', 'GET, HEAD, POST'],
    ['POST', '/authorize/x', 'GET, HEAD'],
    ['POST', '/.well-known/jwks.json', 'GET, HEAD, OPTIONS'],
    ['POST', '/.well-known/openid-configuration', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/userinfo', 'GET, HEAD, POST, OPTIONS'],
    ['GET', '/introspect', 'POST, OPTIONS'],
    ['GET', '/revoke', 'POST, OPTIONS'],
    ['GET', '/par', 'POST, OPTIONS'],
    ['GET', '/logout/confirm', 'POST'],
    ['POST', '/logout/success', 'GET, HEAD'],
    ['PATCH', '/interaction/x', 'GET, HEAD, POST'],
    ['POST', '/assets/a/b.css', 'GET, HEAD'],
    ['POST', '/', 'GET, HEAD'],
    ['TRACE', '/', 'GET, HEAD'],
    ['OPTIONS', '/logout', 'GET, HEAD, POST'],
  ];
  for (const [method, path, allow] of cases) {
    const { status, headers } = await s.ask(path, {}, method);
    t.is(status, 405, `${method} ${path}`);
    t.is(headers['allow'], allow, `${method} ${path}`);
  }
});

test('every method of every row is let through', async (t) => {
  await using s = await site();
  const preflight = { 'access-control-request-method': 'GET' };
  for (const { path, methods } of ENDPOINTS)
    for (const method of methods)
      t.is(
        (await s.ask(path.replace('*', 'x').replaceAll(':', ''), preflight, method)).status,
        200,
        `${method} ${path}`,
      );
});

test('OPTIONS that is no preflight is told the methods that 405 would name', async (t) => {
  await using s = await site();
  for (const path of ['/token', '/userinfo', '/.well-known/jwks.json', '/register', '/admin/api/v1/users']) {
    const { status, headers } = await s.ask(path, {}, 'OPTIONS');
    t.is(status, 204, path);
    t.is(headers['allow'], (await s.ask(path, {}, 'TRACE')).headers['allow'], path);
  }
  t.is((await s.ask('/nowhere', {}, 'OPTIONS')).status, (await s.ask('/nowhere', {}, 'GET')).status);
});

test('a path is found as the engine finds it: in any case, with or without a slash at the end', (t) => {
  const find = endpointFinder(ENDPOINTS);
  const rows: [string, string | undefined][] = [
    ['/token', '/token'],
    ['/TOKEN/', '/token'],
    ['/token//', undefined],
    ['/authorize/abc', '/authorize/:uid'],
    ['/authorize/abc/def', undefined],
    ['/authorize/', '/authorize'],
    ['/interaction/abc', '/interaction/:uid'],
    ['/interaction/abc/login', '/interaction/:uid/:step'],
    ['/interaction', undefined],
    ['/assets/x/y/z.css', '/assets/*'],
    ['/assets', undefined],
    ['/', '/'],
    ['', undefined],
    ['/.well-known/other', undefined],
    ['/constructor', undefined],
    ['/__proto__', undefined],
  ];
  for (const [path, expected] of rows) t.is(find(path)?.path, expected, path);
});
