import { Readable } from 'node:stream';
import test from 'ava';
import type { Context, Middleware } from 'koa';
import { allowFormRedirect, HttpRefusal, stateOf } from '../../src/http/index.ts';
import { Refusal } from '../../src/lib/index.ts';
import { StoreUnavailable } from '../../src/store/index.ts';
import { edge } from './support.ts';

const SECRET = 'detail-of-the-inside';
const failing = (make: () => unknown, before: (ctx: Context) => void = () => {}): Middleware => {
  return (ctx) => {
    before(ctx);
    throw make();
  };
};
/** As the engine does: answers by itself and leaves the error to us. */
const answering = (failure: unknown, make: (ctx: Context) => void): Middleware => {
  return (ctx) => {
    make(ctx);
    stateOf(ctx).failure = failure;
  };
};
const engineJson = (ctx: Context) => {
  ctx.status = 500;
  ctx.set('Access-Control-Allow-Origin', '*');
  ctx.body = { error: 'server_error', error_description: 'oops! something went wrong' };
};

test('a store that cannot answer is 503 with Retry-After: JSON for programs, a page for people', async (t) => {
  for (const failure of [
    new StoreUnavailable(SECRET),
    new Error('wrapped', { cause: new Error('twice', { cause: new StoreUnavailable(SECRET) }) }),
  ]) {
    await using s = await edge([failing(() => failure)]);
    const api = await s.browse('/token', { method: 'POST' });
    t.is(api.status, 503);
    t.is(api.headers.get('retry-after'), '5');
    const told = await api.text();
    t.like(JSON.parse(told), { error: 'temporarily_unavailable' });
    t.false(told.includes(SECRET));
    const page = await s.browse('/authorize');
    t.is(page.status, 503);
    t.is(page.headers.get('retry-after'), '5');
    t.regex(await page.text(), /data-page="error".*"reason":"busy".*"id":"err_[\w-]{22}","retry":"\/authorize"/);
    t.notRegex(
      await (await s.browse('/authorize', { method: 'POST' })).text(),
      /retry/,
      'a form is not sent by a link',
    );
    t.false((await (await s.browse(`/setup?token=${SECRET}`)).text()).includes(SECRET), 'a link holds no secret');
  }
});

test('what failed in front of everything is told like what failed behind, and is not done again', async (t) => {
  await using s = await edge([() => t.fail()], { fronts: [(_req, _res, next) => next(new StoreUnavailable(SECRET))] });
  const api = await s.browse('/token', { method: 'POST' });
  t.is(api.status, 503);
  t.like(JSON.parse(await api.text()), { error: 'temporarily_unavailable' });
});

test('an application in a browser may read why its request failed; nobody may read a page’s failure', async (t) => {
  const origin = 'https://spa.example.com';
  const front = (_req: unknown, _res: unknown, next: (failure?: Error) => void) => next(new StoreUnavailable(SECRET));
  for (const options of [{ fronts: [front] }, {}]) {
    await using s = await edge([failing(() => new StoreUnavailable(SECRET))], options);
    const api = await s.browse('/token', { method: 'POST', headers: { origin } });
    t.is(api.status, 503);
    t.is(api.headers.get('access-control-allow-origin'), origin);
    t.regex(api.headers.get('access-control-expose-headers') ?? '', /Retry-After/);
    t.regex(api.headers.get('vary') ?? '', /Origin/);
    const wrong = await s.browse('/userinfo', { method: 'DELETE', headers: { origin } });
    t.is(wrong.headers.get('access-control-allow-origin'), origin);
    t.false((await s.browse('/authorize', { headers: { origin } })).headers.has('access-control-allow-origin'));
  }
});

test('a bug is 500 with an id, told in the log and nowhere else', async (t) => {
  for (const thrown of [
    new TypeError(SECRET),
    new Refusal('some_refusal', SECRET),
    Object.assign(new Error(SECRET), { status: 404, expose: true, headers: { 'X-A': 'b' } }),
    SECRET,
    undefined,
    null,
    { status: 200 },
  ]) {
    await using s = await edge([failing(() => thrown)]);
    const api = await s.get('/userinfo');
    t.is(api.status, 500);
    t.false(api.headers.has('x-a'));
    const text = await api.text();
    t.deepEqual(JSON.parse(text), {
      error: 'server_error',
      error_description: 'something went wrong on our side',
      error_id: 'err_1',
    });
    const page = await (await s.browse('/')).text();
    t.regex(page, /data-page="error".*"reason":"server".*"id":"err_2"/);
    t.false((text + page).includes(SECRET));
    t.deepEqual(
      s.of('a bug of the server').map((line) => line['id']),
      ['err_1', 'err_2'],
    );
  }
});

test('a bug’s stack is in the log', async (t) => {
  await using s = await edge([failing(() => new TypeError(SECRET))]);
  await s.get('/userinfo');
  const [line] = s.of('a bug of the server');
  t.like(line, { level: 'error', endpoint: 'userinfo', id: 'err_1' });
  t.regex(
    String((line?.['err'] as { stack?: string } | undefined)?.stack),
    new RegExp(`TypeError: ${SECRET}\n.*failures.test.ts`),
  );
});

test('a refusal of the edge has its status, its sentence and its headers, and is no error in the log', async (t) => {
  const refusal = new HttpRefusal('too_many', 'Wait a little.', {
    status: 429,
    error: 'slow_down',
    reason: 'tooLarge',
    rule: 'guesses.account',
    headers: { 'Retry-After': '60' },
  });
  await using s = await edge([failing(() => refusal)]);
  const api = await s.get('/userinfo');
  t.is(api.status, 429);
  t.is(api.headers.get('retry-after'), '60');
  t.deepEqual(await api.json(), { error: 'slow_down', error_description: 'Wait a little.', error_id: 'err_1' });
  t.like(s.kept[0], { status: 429, rule: 'guesses.account', cause: refusal });
  t.is((await s.browse('/')).status, 429);
  t.deepEqual(
    s.lines().filter((line) => line['level'] === 'error'),
    [],
  );
});

test('what was answered before the failure is forgotten', async (t) => {
  const dressed = (ctx: Context) => {
    ctx.status = 200;
    ctx.cookies.set('session', 'x', { signed: false });
    ctx.set('Location', 'https://app.example/cb?code=1');
    ctx.set('ETag', '"a"');
    ctx.set('Cache-Control', 'public, max-age=60');
    ctx.body = { access_token: SECRET };
  };
  for (const before of [
    dressed,
    (ctx: Context) => {
      dressed(ctx);
      ctx.body = Readable.from([SECRET]);
    },
    (ctx: Context) => {
      dressed(ctx);
      ctx.status = 204;
    },
    (ctx: Context) => ctx.redirect(`https://app.example/cb?code=${SECRET}`),
  ]) {
    await using s = await edge([failing(() => new StoreUnavailable('commit'), before)]);
    for (const response of [await s.get('/token', { method: 'POST' }), await s.browse('/authorize')]) {
      t.is(response.status, 503);
      for (const header of ['set-cookie', 'location', 'etag']) t.false(response.headers.has(header), header);
      t.is(response.headers.get('cache-control'), 'no-store');
      const text = await response.text();
      t.false(text.includes(SECRET));
      t.is(Number(response.headers.get('content-length')), Buffer.byteLength(text));
    }
  }
});

test('an error the engine answered as its own is 503 when the store was the reason', async (t) => {
  await using s = await edge([answering(new Error('adapter', { cause: new StoreUnavailable(SECRET) }), engineJson)]);
  const response = await s.get('/token', { method: 'POST' });
  t.is(response.status, 503);
  t.is(response.headers.get('retry-after'), '5');
  t.is(response.headers.get('access-control-allow-origin'), '*');
  t.like(await response.json(), { error: 'temporarily_unavailable' });
});

test('what a store could not do is not written down in it: the answer would wait once more', async (t) => {
  await using s = await edge([failing(() => new StoreUnavailable('gone'))], { report: () => new Promise(() => {}) });
  const { error_id } = (await (await s.get('/userinfo')).json()) as { error_id: string };
  t.regex(error_id, /^err_[\w-]{22}$/);
  t.like(s.of('the store is unavailable')[0], { id: error_id });
});

test('while the store cannot answer, each request it refuses is a line with the reasons, and no stack', async (t) => {
  const cause = new Error('connect ECONNREFUSED', { cause: new Error('ECONNREFUSED') });
  const gone = new StoreUnavailable('the database cannot be reached', { cause });
  await using s = await edge([failing(() => gone)]);
  const { error_id } = (await (await s.get('/userinfo')).json()) as { error_id: string };
  const [line] = s.of('the store is unavailable');
  t.like(line, { id: error_id, endpoint: 'userinfo', err: 'the database cannot be reached: connect ECONNREFUSED' });
  t.true(JSON.stringify(line).length < 400);
});

test('an error the engine answered as its own is 500 with an id otherwise', async (t) => {
  await using s = await edge([answering(new TypeError(SECRET), engineJson)]);
  const response = await s.get('/token', { method: 'POST' });
  t.is(response.status, 500);
  t.like(await response.json(), { error: 'server_error', error_id: 'err_1' });
  const page = await s.browse('/authorize');
  t.is(page.status, 500);
  t.regex(await page.text(), /data-page="error".*err_2/);
  t.is(s.of('a bug of the server').length, 2);
});

test('a server_error on its way to the client arrives there, and is logged under its id', async (t) => {
  const redirect = (ctx: Context) => ctx.redirect('https://app.example/cb?error=server_error');
  const formPost = (ctx: Context) => {
    ctx.set('Content-Security-Policy', "script-src 'sha256-x';form-action 'self'");
    ctx.status = 500;
    ctx.body = '<form method="post">';
  };
  await using s = await edge([
    (ctx, next) =>
      ctx.query['post']
        ? answering(new Error(SECRET), formPost)(ctx, next)
        : answering(new Error(SECRET), redirect)(ctx, next),
  ]);
  t.is((await s.browse('/authorize')).headers.get('location'), 'https://app.example/cb?error=server_error');
  t.is(await (await s.browse('/authorize?post=1')).text(), '<form method="post">');
  t.deepEqual(
    s.of('a bug of the server').map((line) => line['id']),
    ['err_1', 'err_2'],
  );
});

test('a redirect to the client becomes a 503 page when trying again will help', async (t) => {
  await using s = await edge([
    answering(new StoreUnavailable(SECRET), (ctx) => ctx.redirect('https://app.example/cb?error=server_error')),
  ]);
  const page = await s.browse('/authorize');
  t.is(page.status, 503);
  t.false(page.headers.has('location'));
});

test('an id is given even when the failure cannot be kept', async (t) => {
  for (const report of [
    () => {
      throw new Error('no store');
    },
    async () => {
      throw new Error('no store');
    },
  ]) {
    await using s = await edge([failing(() => new StoreUnavailable('gone'))], { report });
    const { error_id } = (await (await s.get('/userinfo')).json()) as { error_id: string };
    t.regex(error_id, /^err_[\w-]{22}$/);
    t.like(s.of('the store is unavailable')[0], { id: error_id });
  }
});

test('HEAD of a failure has its status and no body', async (t) => {
  await using s = await edge([failing(() => new Error('x'))]);
  const { status, text } = await s.ask('/userinfo', {}, 'HEAD');
  t.is(status, 500);
  t.is(text, '');
});

test('a failure after the answer has begun cuts the connection, so that half an answer is no answer', async (t) => {
  await using s = await edge([
    async (ctx) => {
      ctx.res.writeHead(200, { 'Content-Length': '100' });
      ctx.res.write('half');
      throw new Error('late');
    },
  ]);
  await t.throwsAsync(async () => (await s.get('/userinfo')).text());
});

test('a body that cannot be written is 500 with the security headers', async (t) => {
  await using s = await edge([
    (ctx) => {
      ctx.set('Set-Cookie', 'a=b');
      ctx.body = {
        toJSON: () => {
          throw new Error(SECRET);
        },
      };
    },
  ]);
  const response = await s.get('/userinfo');
  t.is(response.status, 500);
  t.is(response.headers.get('x-frame-options'), 'DENY');
  t.false(response.headers.has('set-cookie'));
  t.is(((await response.json()) as { error: string }).error, 'server_error');
});

test('a page that allowed its form to leave keeps the other headers when it fails', async (t) => {
  await using s = await edge([
    failing(
      () => new Error('x'),
      (ctx) => allowFormRedirect(ctx, 'https://app.example'),
    ),
  ]);
  t.regex((await s.browse('/interaction/a')).headers.get('content-security-policy') ?? '', /default-src 'none'/);
});

test('nobody above answered: a page for people, JSON for programs, 404 for both', async (t) => {
  await using s = await edge([]);
  for (const path of ['/nowhere', '/.well-known/none', '/constructor', '//', '/interaction/a']) {
    const page = await s.browse(path);
    t.is(page.status, 404, path);
    t.regex(await page.text(), /data-page="not-found"/, path);
    const json = await s.get(path);
    t.is(json.status, 404, path);
    t.like(await json.json(), { error: 'not_found' });
  }
  t.like(await (await s.browse('/userinfo')).json(), { error: 'not_found' });
});

test('what fails after its head was sent, and its body read, cuts the connection: nobody waits for the rest', async (t) => {
  const begin: Middleware = async (ctx) => {
    for await (const _ of ctx.req);
    ctx.res.writeHead(200, { 'Content-Length': '100' });
    ctx.res.write('part');
    throw new Error(SECRET);
  };
  await using s = await edge([begin]);
  await t.throwsAsync(async () => (await s.browse('/token', { method: 'POST', body: 'read whole' })).text());
});
