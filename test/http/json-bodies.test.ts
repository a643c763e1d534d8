import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import test from 'ava';
import Koa from 'koa';
import { jsonBodies, listen } from '../../src/http/index.ts';

class Point {
  readonly x = 1;
}

/** What is set of an answer, in this order. */
type Step = Partial<Record<'body' | 'status' | 'type' | 'length' | 'respond', unknown>>;

const ANSWERS: readonly [what: string, ...steps: (() => Step)[]][] = [
  ['an object', () => ({ body: { a: 1, ü: '€' } })],
  ['a list', () => ({ body: [1, 2] })],
  ['an object without prototype', () => ({ body: Object.assign(Object.create(null), { a: 1 }) })],
  ['an object of a class', () => ({ body: new Point() })],
  ['a status, then an object', () => ({ status: 400, body: { error: 'invalid_request' } })],
  ['an object, then a status', () => ({ body: { error: 'invalid_request' }, status: 400 })],
  ['a type of JSON, then an object', () => ({ type: 'application/jwk-set+json', body: { keys: [] } })],
  ['another type, then an object', () => ({ type: 'text/html', body: { keys: [] } })],
  ['a wrong length, then an object', () => ({ length: 3, body: { keys: [] } })],
  ['an object, then words', () => ({ body: {} }), () => ({ body: 'words' })],
  ['words, then an object', () => ({ body: 'words' }), () => ({ body: {} })],
  ['a stream, then an object', () => ({ body: Readable.from(['x']) }), () => ({ body: {} })],
  ['an object, then a stream', () => ({ body: {} }), () => ({ body: Readable.from(['x']) })],
  ['an object, then bytes', () => ({ body: {} }), () => ({ body: Buffer.from('x') })],
  ['an object, then null', () => ({ body: {} }), () => ({ body: null })],
  ['an object, then undefined', () => ({ body: {} }), () => ({ body: undefined })],
  ['an object, then 204', () => ({ body: {}, status: 204 })],
  ['an object, then 304', () => ({ body: {}, status: 304 })],
  ['an object that cannot be written', () => ({ body: { n: 1n } })],
  ['a Response', () => ({ body: new Response('x', { status: 201 }) })],
  ['nothing'],
];

async function ask(port: number, method: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request({ port, method, agent: false }, async (res) => {
      const { date: _, ...headers } = res.headers;
      resolve({
        status: res.statusCode,
        headers,
        body: await res.toArray().then((all) => Buffer.concat(all).toString()),
      });
    })
      .on('error', reject)
      .end();
  });
}

for (const [what, ...steps] of ANSWERS) {
  test(`${what}: it is answered as Koa answers it`, async (t) => {
    const bodies: unknown[] = [];
    const answers = [false, true].map(async (ours) => {
      const app = new Koa();
      app.silent = true;
      if (ours) app.use(jsonBodies(app));
      app.use((ctx) => {
        for (const step of steps) Object.assign(ctx, step());
        ctx.res.on('close', () => bodies.push(typeof ctx.body));
      });
      const { port, close } = await listen({ handler: app.callback(), host: '127.0.0.1', port: 0 });
      const seen = [await ask(port, 'GET'), await ask(port, 'HEAD'), await ask(port, 'POST')];
      await close();
      return seen;
    });
    const [koa, ours] = await Promise.all(answers);
    t.deepEqual(ours, koa);
    t.is(new Set(bodies).size, 1, 'what was answered can be read afterwards');
  });
}

test('an answer in JSON loads nothing of undici', async (t) => {
  const script = `
    await import('./src/lib/without-web-sockets.ts');
    const { default: http } = await import('node:http');
    const { default: Koa } = await import('koa');
    const { jsonBodies, listen } = await import('./src/http/index.ts');
    const app = new Koa();
    app.use(jsonBodies(app));
    app.use((ctx) => { ctx.body = { a: 1 }; });
    const { port, close } = await listen({ handler: app.callback(), host: '127.0.0.1', port: 0 });
    http.get({ port, agent: false }, async (res) => {
      console.log((await res.toArray()).join(''), process.moduleLoadList.filter((name) => name.includes('undici')).length);
      await close({ grace: 0 });
    });`;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]);
  t.is(stdout.trim(), '{"a":1} 0');
});
