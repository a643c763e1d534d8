import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test from 'ava';
import type { Context } from 'koa';
import type { Exchange } from '../../src/http/answered.ts';
import { createMetrics, ENDPOINTS, listen, opsHandler, serveOps, stateOf } from '../../src/http/index.ts';
import { seconds, silent } from '../../src/lib/index.ts';
import { until } from '../support/until.ts';
import { answer, edge, logBook, store } from './support.ts';

const SECRET = 'Th3-s3cr3t-of-a-request';

test('one line per request: the endpoint’s own path, status, client, error code and refusal, and nothing it carried', async (t) => {
  await using s = await edge([
    (ctx) => {
      stateOf(ctx).clientId = 'cli_1';
      if (ctx.path === '/token') {
        ctx.status = 400;
        ctx.body = { error: 'invalid_grant', error_description: SECRET };
      } else if (ctx.path === '/userinfo') throw new Error('bug');
      else {
        stateOf(ctx).error = 'access_denied';
        ctx.redirect(`https://app.example/cb?code=${SECRET}`);
      }
    },
  ]);
  const headers = {
    cookie: `a=${SECRET}`,
    authorization: `Basic ${SECRET}`,
    'user-agent': SECRET,
    referer: `https://x/?${SECRET}`,
  };
  await s.get(`/token?code=${SECRET}`, { method: 'POST', headers, body: `password=${SECRET}` });
  await s.get(`/interaction/${SECRET}?x=${SECRET}`, { headers });
  await s.get(`/${SECRET}?x=${SECRET}`, { headers });
  await s.get('/userinfo', { headers });
  await until(() => s.of('request').length >= 4);
  const lines = s.of('request');
  t.like(lines[0], {
    level: 'info',
    method: 'POST',
    path: '/token',
    status: 400,
    client_id: 'cli_1',
    error: 'invalid_grant',
    address: '127.0.0.1',
  });
  t.like(lines[1], { path: '/interaction/:uid', status: 302, error: 'access_denied' });
  t.like(lines[2], { path: '(unknown)' });
  t.like(lines[3], { path: '/userinfo', status: 500, error: 'server_error', refusal: 'err_1' });
  t.is(lines.length, 4);
  t.is(typeof lines[0]?.['ms'], 'number');
  t.false(JSON.stringify(lines).includes(SECRET));
});

test('an error code that nobody has defined is not written as it came', async (t) => {
  await using s = await edge([
    (ctx) => {
      ctx.status = 400;
      ctx.body = { error: SECRET };
    },
  ]);
  await s.get('/userinfo');
  await until(() => s.of('request').length > 0);
  t.like(s.of('request')[0], { error: 'other' });
});

test('a request whose client left is written as aborted', async (t) => {
  const leaving = new AbortController();
  await using s = await edge([
    async (ctx) => {
      setImmediate(() => leaving.abort());
      await once(ctx.res, 'close');
      ctx.body = 'late';
    },
  ]);
  await t.throwsAsync(s.get('/userinfo', { signal: leaving.signal }));
  await until(() => s.of('request').length > 0);
  t.like(s.of('request')[0], { aborted: true });
  t.regex(
    (await s.metrics.render()).text,
    /postern_http_requests_total\{endpoint="userinfo",status="aborted",error="none"\} 1/,
  );
});

const USERINFO = ENDPOINTS.find(({ path }) => path === '/userinfo')!;
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('what is answered in front is told of there, and once', async (t) => {
  const told: number[] = [];
  await using s = await edge([], {
    fronts: [
      (req, res) => {
        const exchange = s.desk.open(req, res, USERINFO);
        if (req.url === '/userinfo?waits') exchange.wait();
        res.writeHead(200, ['Content-Length', '2']);
        exchange.end('ok', 'latin1', 'cli_1');
        told.push(s.of('request').length);
      },
    ],
  });
  await s.get('/userinfo');
  await s.get('/userinfo?waits');
  await s.listening.close();
  t.deepEqual(told, [1, 2]);
  t.is(s.of('request').length, 2);
  for (const line of s.of('request')) t.like(line, { status: 200, client_id: 'cli_1', aborted: undefined });
});

/** What is told of a request in front, whose client leaves there, and of which `then` becomes this. */
async function leftInFront(then: (exchange: Exchange, next: () => void) => void) {
  const leaving = new AbortController();
  let over = false;
  await using s = await edge([answer(() => 'late')], {
    fronts: [
      (req, res, next) => {
        const exchange = s.desk.open(req, res, USERINFO);
        exchange.wait();
        setImmediate(() => leaving.abort());
        res.once('close', async () => {
          await turn();
          then(exchange, next);
          over = true;
        });
      },
    ],
  });
  await s.get('/userinfo', { signal: leaving.signal }).catch(() => {});
  await until(() => over);
  for (let turns = 0; turns < 20; turns += 1) await turn();
  return s.of('request').map(({ path, aborted }) => ({ path, aborted }));
}

for (const [fact, then] of [
  ['its answer is made', (exchange: Exchange) => exchange.end('late', 'latin1')],
  ['nothing comes of it', () => {}],
  [
    'it goes the whole way',
    (exchange: Exchange, next: () => void) => {
      exchange.leave();
      next();
    },
  ],
] as const)
  test(`a client that left while its request was in front is written as such, once, though ${fact}`, async (t) => {
    t.deepEqual(await leftInFront(then), [{ path: '/userinfo', aborted: true }]);
  });

for (const [fact, end] of [
  ['its client has cut', (client: Socket) => client.resetAndDestroy()],
  ['is ended on our side', (_client: Socket, ours: Socket) => ours.end()],
] as const)
  test(`an answer to a connection that ${fact} is written as one that did not arrive`, async (t) => {
    await using s = await edge([], {
      fronts: [
        (req, res) => {
          const exchange = s.desk.open(req, res, USERINFO);
          end(client, req.socket);
          res.writeHead(200, ['Content-Length', '2']);
          exchange.end('ok', 'latin1');
        },
      ],
    });
    const client = connect(s.listening.port, '127.0.0.1');
    client.on('error', () => {}).write('GET /userinfo HTTP/1.1\r\nHost: x\r\n\r\n');
    client.resume();
    await until(() => s.of('request').length > 0);
    t.like(s.of('request')[0], { aborted: true });
  });

test('an answer that the client is slow to take is written when it has taken it', async (t) => {
  const size = 32 * 1024 * 1024;
  await using s = await edge([], {
    fronts: [
      (req, res) => {
        const exchange = s.desk.open(req, res, USERINFO);
        res.writeHead(200, ['Content-Length', String(size)]);
        exchange.end('x'.repeat(size), 'latin1', 'cli_1');
      },
    ],
  });
  const socket = connect(s.listening.port, '127.0.0.1');
  socket.write('GET /userinfo HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'readable');
  t.is(s.of('request').length, 0);
  socket.resume();
  await until(() => s.of('request').length > 0);
  t.like(s.of('request')[0], { status: 200, client_id: 'cli_1', aborted: undefined });
  socket.destroy();
});

test('requests are counted by endpoint, status class and error, and their time is measured', async (t) => {
  await using s = await edge([
    (ctx) => {
      if (ctx.path === '/token') {
        ctx.status = 400;
        ctx.body = { error: 'invalid_grant' };
      } else ctx.body = 'ok';
    },
  ]);
  await s.get('/token', { method: 'POST' });
  await s.get('/token', { method: 'POST' });
  await s.get('/authorize/abc');
  await s.get('/authorize');
  await s.get('/token');
  await until(() => s.of('request').length >= 5);
  const { text, type } = await s.metrics.render();
  t.regex(type, /^text\/plain/);
  t.true(text.includes('postern_http_requests_total{endpoint="token",status="4xx",error="invalid_grant"} 2\n'));
  t.true(text.includes('postern_http_requests_total{endpoint="token",status="4xx",error="invalid_request"} 1\n'));
  t.true(text.includes('postern_http_requests_total{endpoint="authorize",status="2xx",error="none"} 2\n'));
  t.true(text.includes('postern_http_request_duration_seconds_count{endpoint="token"} 3\n'));
});

test('nobody outside can make a new series', async (t) => {
  await using s = await edge([
    (ctx) => {
      ctx.status = Number(ctx.query['status'] ?? 200);
      ctx.body = { error: ctx.query['e'] };
    },
  ]);
  const count = async () =>
    (await s.metrics.render()).text.split('\n').filter((line) => line.startsWith('postern_http')).length;
  for (const error of ['x', 'y']) await s.get(`/a-${error}?status=400&e=${error}`);
  await until(() => s.of('request').length >= 2);
  const before = await count();
  for (let i = 0; i < 60; i++)
    await s.ask(
      `/path-${i}?status=4${i % 30 < 10 ? '0' : '1'}${i % 10}&e=err${i}`,
      {},
      ['GET', 'PUT', 'PROPFIND'][i % 3]!,
    );
  for (let i = 0; i < 20; i++) s.metrics.tokenIssued(`urn:x:${i}`);
  await until(() => s.of('request').length >= 62);
  t.is(await count(), before);
  t.true((await s.metrics.render()).text.includes('postern_tokens_issued_total{grant="other"} 20\n'));
});

test('tokens, sign-ins and commits are counted under their names', async (t) => {
  const metrics = createMetrics({ store });
  metrics.tokenIssued('authorization_code');
  metrics.tokenIssued('refresh_token');
  metrics.signIn('succeeded');
  metrics.signIn('wrong');
  metrics.observeCommit(0.002);
  const { text } = await metrics.render();
  for (const line of [
    'postern_tokens_issued_total{grant="authorization_code"} 1',
    'postern_tokens_issued_total{grant="refresh_token"} 1',
    'postern_sign_ins_total{outcome="succeeded"} 1',
    'postern_store_commit_duration_seconds_count 1',
    'postern_store_commit_duration_seconds_bucket{le="0.0025"} 1',
    'postern_store_bytes 4096',
    'postern_store_writable 1',
  ])
    t.true(text.includes(`${line}\n`), line);
  t.regex(text, /postern_store_rows\{table="\w+"\} 3\n/);
  t.regex(text, /nodejs_eventloop_lag_p99_seconds /);
  t.regex(text, /process_resident_memory_bytes /);
});

test('metrics are served although the store cannot say how it is', async (t) => {
  const metrics = createMetrics({
    store: {
      stats: async () => {
        throw new Error('gone');
      },
    },
  });
  t.regex((await metrics.render()).text, /postern_store_writable 0\n/);
});

test('two servers in one process count for themselves', async (t) => {
  const [one, other] = [createMetrics({ store }), createMetrics({ store })];
  one.signIn('wrong');
  t.notRegex((await other.render()).text, /postern_sign_ins_total\{/);
});

async function ops(options: Partial<Parameters<typeof opsHandler>[0]> = {}) {
  const book = logBook();
  const listening = await serveAt({
    ready: async () => ({ ok: true, checks: { store: 'ok' } }),
    draining: () => false,
    metrics: createMetrics({ store }),
    logger: book.logger,
    ...options,
  });
  const get = (path: string, init?: RequestInit) => fetch(listening.url + path, init);
  return { get, book, [Symbol.asyncDispose]: () => listening.close({ grace: seconds(1) }) };
}
const serveAt = (options: Parameters<typeof opsHandler>[0]) =>
  listen({ handler: opsHandler(options), host: '127.0.0.1', port: 0, linger: 0 });

test('healthz, readyz and metrics answer GET and HEAD, and nothing else does', async (t) => {
  await using s = await ops();
  t.deepEqual(await (await s.get('/healthz')).json(), { ok: true });
  t.deepEqual(await (await s.get('/readyz')).json(), { ok: true, checks: { store: 'ok' } });
  t.regex(await (await s.get('/metrics?x=1')).text(), /process_cpu/);
  t.is((await s.get('/healthz', { method: 'HEAD' })).status, 200);
  const wrong = await s.get('/metrics', { method: 'POST' });
  t.is(wrong.status, 405);
  t.is(wrong.headers.get('allow'), 'GET, HEAD');
  for (const path of ['/', '/token', '/constructor', '/__proto__', '/healthz/'])
    t.is((await s.get(path)).status, 404, path);
});

test('readyz is 503 while draining, while not ready, and when asking fails; healthz is not', async (t) => {
  let draining = false;
  let ready: () => Promise<{ ok: boolean; checks: Record<string, string> }> = async () => ({
    ok: false,
    checks: { store: 'read-only' },
  });
  await using s = await ops({ draining: () => draining, ready: () => ready() });
  const notReady = await s.get('/readyz');
  t.is(notReady.status, 503);
  t.deepEqual(await notReady.json(), { ok: false, checks: { store: 'read-only' } });
  ready = async () => {
    throw new Error('x');
  };
  const failed = await s.get('/readyz');
  t.is(failed.status, 503);
  t.false((await failed.text()).includes('Error'));
  t.is(s.book.of('an ops page failed').length, 1);
  ready = async () => ({ ok: true, checks: {} });
  t.is((await s.get('/readyz')).status, 200);
  draining = true;
  t.deepEqual(await (await s.get('/readyz')).json(), { ok: false, checks: { server: 'draining' } });
  t.is((await s.get('/healthz')).status, 200);
});

test('port 0 turns the ops listener off, and a port in use is refused', async (t) => {
  const options = {
    ready: async () => ({ ok: true, checks: {} }),
    draining: () => false,
    metrics: createMetrics({ store }),
    logger: silent,
    host: '127.0.0.1',
  };
  t.is(await serveOps({ ...options, port: 0 }), undefined);
  const taken = await listen({ handler: () => {}, host: '127.0.0.1', port: 0 });
  await t.throwsAsync(serveOps({ ...options, port: taken.port }), { code: 'address_in_use' });
  await taken.close();
});

const DOCUMENTS = [
  '/.well-known/jwks.json',
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
];
const publish = (make: (ctx: Context) => unknown = () => ({ keys: [{ kid: 'a' }] })) =>
  edge(
    [
      answer((ctx) => {
        ctx.set('Access-Control-Allow-Origin', '*');
        return make(ctx);
      }),
    ],
    { maxAge: seconds(90) },
  );

test('public documents may be kept for the time set, and are confirmed by a strong ETag', async (t) => {
  await using s = await publish();
  for (const path of DOCUMENTS) {
    const response = await s.get(path);
    t.is(response.headers.get('cache-control'), 'public, max-age=90');
    const etag = response.headers.get('etag') ?? '';
    t.regex(etag, /^"[\w-]{43}"$/);
    t.deepEqual(await response.json(), { keys: [{ kid: 'a' }] });
    for (const asked of [etag, `"x", ${etag}`, `W/${etag}`, '*']) {
      const kept = await s.ask(path, { 'if-none-match': asked });
      t.is(kept.status, 304, asked);
      t.is(kept.headers['etag'], etag);
      t.is(kept.headers['cache-control'], 'public, max-age=90');
      t.is(kept.headers['access-control-allow-origin'], '*');
      t.is(kept.text, '');
    }
    t.is((await s.ask(path, { 'if-none-match': '"x"' })).status, 200);
  }
});

test('HEAD of a public document tells what GET would', async (t) => {
  await using s = await publish();
  const [head, get] = [await s.ask(DOCUMENTS[0]!, {}, 'HEAD'), await s.ask(DOCUMENTS[0]!)];
  t.is(head.text, '');
  for (const name of ['etag', 'cache-control', 'content-type', 'content-length'])
    t.is(head.headers[name], get.headers[name], name);
});

test('a document that changed has another ETag', async (t) => {
  let n = 0;
  await using s = await publish(() => ({ n: n++ }));
  const before = (await s.ask(DOCUMENTS[0]!)).headers['etag'];
  s.documents.forget();
  t.not((await s.ask(DOCUMENTS[0]!)).headers['etag'], before);
});

test('nothing else may be kept: errors, preflights and other endpoints', async (t) => {
  await using s = await publish((ctx) => {
    if (ctx.query['fail']) ctx.status = 500;
    return { a: 1 };
  });
  t.is((await s.ask(`${DOCUMENTS[0]}?fail=1`)).headers['cache-control'], 'no-store');
  t.is((await s.ask(DOCUMENTS[0]!, {}, 'OPTIONS')).headers['cache-control'], 'no-store');
  t.is((await s.ask('/userinfo')).headers['cache-control'], 'no-store');
  t.is((await s.ask('/userinfo')).headers['etag'], undefined);
});
