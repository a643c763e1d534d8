import { mkdtemp, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import Koa from 'koa';
import { type Assets, createAssets } from '../../src/http/assets.ts';
import { Refusal } from '../../src/lib/index.ts';

const brand = { name: 'Postern', accent: '#1f5fbf' };
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

async function serve(t: ExecutionContext, assets: Assets) {
  const app = new Koa();
  app.use(assets.middleware);
  app.use((ctx) => {
    ctx.body = 'next';
  });
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return (path: string, init?: RequestInit) => fetch(origin + path, init);
}

/** The status a browser gets when it asks again with the tag it has; fetch() would ask for no cached answer. */
const revisit = (url: string, tag: string) =>
  new Promise<number | undefined>((resolve, reject) => {
    request(url, { headers: { 'if-none-match': tag } }, (response) => resolve(response.resume().statusCode))
      .on('error', reject)
      .end();
  });

const logo = async (name: string, body: Buffer | string) => {
  const file = join(await mkdtemp(join(tmpdir(), 'postern-logo-')), name);
  await writeFile(file, body);
  return file;
};

test('every asset has its type, may be kept for ever, and is not sent again to whoever has it', async (t) => {
  const assets = createAssets({ brand });
  const get = await serve(t, assets);
  const types = {
    stylesheet: 'text/css; charset=utf-8',
    operatorsStylesheet: 'text/css; charset=utf-8',
    brandStylesheet: 'text/css; charset=utf-8',
    logo: 'image/svg+xml',
  };
  for (const [name, type] of Object.entries(types)) {
    const path = assets.links[name as keyof typeof types];
    const response = await get(path);
    t.is(response.status, 200, path);
    t.is(response.headers.get('content-type'), type);
    t.is(response.headers.get('cache-control'), 'public, max-age=31536000, immutable');
    t.is(response.headers.get('x-content-type-options'), 'nosniff');
    t.is(await revisit(response.url, response.headers.get('etag') ?? ''), 304);
    const head = await get(path, { method: 'HEAD' });
    t.is(head.headers.get('content-length'), String(Buffer.byteLength(await response.text())));
  }
});

test('the sheet is smaller than sixteen kilobytes', async (t) => {
  const assets = createAssets({ brand });
  const get = await serve(t, assets);
  t.true((await (await get(assets.links.stylesheet)).bytes()).length < 16_000);
});

test('another accent colour has another address', (t) => {
  const other = createAssets({ brand: { ...brand, accent: '#aa0000' } }).links;
  const one = createAssets({ brand }).links;
  t.not(other.brandStylesheet, one.brandStylesheet);
  t.not(other.logo, one.logo, 'our own mark is in it too');
  t.is(other.stylesheet, one.stylesheet);
});

test('anything else below /assets is not found, and nothing outside is touched', async (t) => {
  const get = await serve(t, createAssets({ brand }));
  for (const path of ['/assets/', '/assets/postern.css', '/assets/..%2fmark.svg', '/assets/%00', '/assets/__proto__'])
    t.is((await get(path)).status, 404, path);
  t.is((await get(createAssets({ brand }).links.logo, { method: 'POST' })).status, 404);
  t.is(await (await get('/authorize')).text(), 'next');
});

test('robots are sent away and the icon browsers ask for is there', async (t) => {
  const get = await serve(t, createAssets({ brand }));
  t.is(await (await get('/robots.txt')).text(), 'User-agent: *\nDisallow: /\n');
  const icon = await get('/favicon.ico');
  t.is(icon.status, 200);
  t.is(icon.headers.get('content-type'), 'image/svg+xml');
});

test("the operator's logo is served as what it is", async (t) => {
  const assets = createAssets({ brand: { ...brand, logo: await logo('us.PNG', PNG) } });
  const get = await serve(t, assets);
  const response = await get(assets.links.logo);
  t.is(response.headers.get('content-type'), 'image/png');
  t.deepEqual(Buffer.from(await response.bytes()), PNG);
  t.is((await get('/favicon.ico')).headers.get('content-type'), 'image/png');
});

test('a script in an SVG logo is sandboxed', async (t) => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
  const assets = createAssets({ brand: { ...brand, logo: await logo('us.svg', svg) } });
  const get = await serve(t, assets);
  for (const path of [assets.links.logo, '/favicon.ico'])
    t.is(
      (await get(path)).headers.get('content-security-policy'),
      "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    );
});

test('a logo that cannot be shown stops the start with the reason', async (t) => {
  const refused = (file: string, reason: RegExp) => {
    const error = t.throws(() => createAssets({ brand: { ...brand, logo: file } }), { instanceOf: Refusal });
    t.is((error as Refusal | undefined)?.code, 'logo_unreadable');
    t.regex(error?.message ?? '', reason);
  };
  refused('/nowhere/logo.svg', /brand\.logo: \/nowhere\/logo\.svg cannot be read \(ENOENT\)/);
  refused(tmpdir().concat('/.svg'), /cannot be read|is not an SVG/);
  refused(await logo('logo.gif', PNG), /is not an SVG, PNG, JPEG or WebP file/);
  refused(await logo('logo.png', '<svg xmlns="http://www.w3.org/2000/svg"></svg>'), /does not hold what its name says/);
  refused(await logo('logo.jpg', ''), /does not hold what its name says/);
  refused(await logo('logo.png', Buffer.concat([PNG, Buffer.alloc(600_000)])), /is larger than 512 KiB/);
});
