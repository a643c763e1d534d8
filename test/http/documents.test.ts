import test from 'ava';
import type { Context } from 'koa';
import { answer, edge } from './support.ts';

const PATH = '/.well-known/jwks.json';
/** The engine's router knows it by either spelling; only the other one is answered from in front. */
const WHOLE_WAY = '/.well-known/JWKS.json';

/** Counts how often the document was made. */
async function publish(make: (ctx: Context) => unknown = () => ({ keys: [{ kid: 'a' }] })) {
  const made = { times: 0 };
  const site = await edge(
    [
      answer((ctx) => {
        made.times += 1;
        ctx.vary('Origin');
        ctx.set('Access-Control-Allow-Origin', ctx.get('Origin') || '*');
        return make(ctx);
      }),
    ],
    { trustedProxies: ['127.0.0.0/8'], report: () => 'err_1' },
  );
  return Object.assign(site, { made });
}

test('a document is made once, and anew when it is forgotten', async (t) => {
  let n = 0;
  await using s = await publish(() => ({ n: ++n }));
  for (let i = 0; i < 3; i += 1) t.is((await s.ask(PATH)).text, '{"n":1}');
  s.documents.forget();
  for (let i = 0; i < 3; i += 1) t.is((await s.ask(PATH)).text, '{"n":2}');
  t.is(s.made.times, 2);
});

test('a document that was begun before it was forgotten is given and not kept', async (t) => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const { promise: go, resolve } = Promise.withResolvers<void>();
  let n = 0;
  await using s = await publish(async () => {
    const mine = ++n;
    begin();
    if (mine === 1) await go;
    return { n: mine };
  });
  const old = s.ask(PATH);
  await begun;
  s.documents.forget();
  resolve();
  t.is((await old).text, '{"n":1}');
  t.is((await s.ask(PATH)).text, '{"n":2}');
});

test('from in front and the whole way the same is answered, logged and counted', async (t) => {
  await using s = await publish();
  const { etag } = (await s.ask(PATH)).headers;
  const requests: [string, Record<string, string>][] = [
    ['GET', {}],
    ['HEAD', {}],
    ['GET', { origin: 'https://app.example' }],
    ['GET', { 'if-none-match': String(etag) }],
    ['HEAD', { 'if-none-match': String(etag), origin: 'null' }],
    ['GET', { 'if-none-match': `W/${etag}, "x"` }],
    ['GET', { 'if-none-match': '"x"' }],
    ['GET', { 'if-none-match': String(etag), 'cache-control': 'no-cache' }],
    ['GET', { 'if-modified-since': new Date().toUTCString() }],
    ['GET', { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-host': 'evil.example', host: 'evil.example' }],
    ['GET', { accept: 'text/html' }],
    ['GET', { 'content-length': '99999' }],
    ['GET', { connection: 'close' }],
  ];
  for (const [method, headers] of requests) {
    const [near, far] = [await s.ask(PATH, headers, method), await s.ask(WHOLE_WAY, headers, method)];
    const { date: _, ...nearHeaders } = near.headers;
    const { date: __, ...farHeaders } = far.headers;
    t.deepEqual(
      { ...near, headers: nearHeaders },
      { ...far, headers: farHeaders },
      `${method} ${JSON.stringify(headers)}`,
    );
    const [before, after] = s
      .of('request')
      .slice(-2)
      .map(({ time, ms, ...line }) => line);
    t.deepEqual(before, after);
  }
  t.regex(
    (await s.metrics.render()).text,
    /postern_http_requests_total\{endpoint="jwks",status="3xx",error="none"\} 6/,
  );
});

test('over one connection every answer says the same, from in front and the whole way', async (t) => {
  await using s = await publish();
  await s.ask(PATH);
  const request = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
  const paths = [PATH, WHOLE_WAY, PATH, PATH, WHOLE_WAY];
  const said = await s.raw(paths.map((path) => request(path)).join('') + request(PATH, 'Connection: close\r\n'));
  const answers = said
    .replaceAll(/^Date: .*$/gm, 'Date')
    .split(/(?=HTTP\/1\.1 )/)
    .map((answer) => answer.toLowerCase().split('\r\n').sort());
  t.is(answers.length, 6);
  t.is(s.made.times, 3);
  for (const answer of answers.slice(1, -1)) t.deepEqual(answer, answers[0]);
});

test('what only looks like a document goes the whole way', async (t) => {
  await using s = await publish();
  await s.ask(PATH);
  for (const [path, method] of [
    [`${PATH}?x=1`, 'GET'],
    [`${PATH}/`, 'GET'],
    [PATH, 'OPTIONS'],
    [WHOLE_WAY, 'GET'],
  ] as const) {
    const { times } = s.made;
    await s.ask(path, method === 'OPTIONS' ? { 'access-control-request-method': 'GET' } : {}, method);
    t.is(s.made.times, times + 1, `${method} ${path}`);
  }
  t.is((await s.ask(PATH, {}, 'POST')).status, 405);
});

test('a document with letters beyond ASCII comes whole', async (t) => {
  await using s = await publish(() => ({ name: 'Grüße 漢字' }));
  for (let i = 0; i < 2; i += 1) t.is((await s.ask(PATH)).text, '{"name":"Grüße 漢字"}');
});
