import test from 'ava';
import fc from 'fast-check';
import { pinHost } from '../../src/http/index.ts';
import { answer, ISSUER, serve } from './support.ts';

const seen = (issuer = ISSUER) =>
  serve(
    pinHost(issuer),
    answer((ctx) => ({
      host: ctx.host,
      hostname: ctx.hostname,
      origin: ctx.URL.origin,
      href: ctx.href,
      secure: ctx.secure,
      protocol: ctx.protocol,
      path: ctx.path,
      forwarded: Object.keys(ctx.headers).filter((name) => /^(x-)?forwarded/.test(name)),
    })),
  );

test('absolute URLs come from the issuer, whatever the request says', async (t) => {
  await using site = await seen();
  const { text } = await site.ask('/authorize?a=1', {
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'http',
    forwarded: 'host=evil.example;proto=http',
  });
  t.deepEqual(JSON.parse(text), {
    host: 'id.example.com',
    hostname: 'id.example.com',
    origin: ISSUER,
    href: `${ISSUER}/authorize?a=1`,
    secure: true,
    protocol: 'https',
    path: '/authorize',
    forwarded: [],
  });
});

test('an http issuer is not secure, whatever X-Forwarded-Proto says', async (t) => {
  await using site = await seen('http://localhost:3000');
  const { text } = await site.ask('/', { 'x-forwarded-proto': 'https' });
  t.like(JSON.parse(text), { secure: false, origin: 'http://localhost:3000' });
});

test('a Secure cookie is set behind a proxy that ends TLS', async (t) => {
  await using site = await serve(
    pinHost(ISSUER),
    answer((ctx) => {
      ctx.cookies.set('__Host-a', 'b', { secure: true, signed: false });
      return 'ok';
    }),
  );
  const { headers, status } = await site.ask('/');
  t.is(status, 200);
  t.regex(String(headers['set-cookie']), /secure/);
});

test('a whole URL as request target gives its path only', async (t) => {
  await using site = await seen();
  const answered = await site.raw('GET http://evil.example/token?x=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  t.true(answered.includes(`"href":"${ISSUER}/token?x=1"`));
  t.true(answered.includes('"path":"/token"'));
});

test('no Host and no request target moves a URL off the issuer', async (t) => {
  await using site = await seen();
  const text = fc.string({ unit: fc.constantFrom(...'abz/:@?#.%[]\\;,-_~019'.split('')), maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(text, text, fc.constantFrom('/', '//', 'http://', 'HTTPS://', '*'), async (host, path, lead) => {
      const target = `${lead}${path}`;
      const answered = await site.raw(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      if (!answered.startsWith('HTTP/1.1 200')) {
        t.regex(answered, /^HTTP\/1\.1 4/, target);
        return;
      }
      const { origin, href } = JSON.parse(
        answered
          .slice(answered.indexOf('\r\n\r\n') + 4)
          .replace(/^[0-9a-f]+\r\n/, '')
          .replace(/\r\n0\r\n\r\n$/, ''),
      );
      t.is(origin, ISSUER);
      t.true(href.startsWith(`${ISSUER}/`), href);
      t.is(new URL(href).origin, ISSUER);
    }),
    { numRuns: 300, examples: [['', '[#1._@a%/z', '//']] },
  );
});
