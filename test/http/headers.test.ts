import { createRequire } from 'node:module';
import test from 'ava';
import { allowFormRedirect } from '../../src/http/index.ts';
import { answer, edge } from './support.ts';

const require = createRequire(import.meta.url);

/** The engine's own, as its form_post and sign-out pages call it. */
const { default: pushScriptSrcSha } = (await import(
  new URL('lib/helpers/script_src_sha.js', `file://${require.resolve('oidc-provider').replace(/lib\/index\.js$/, '')}`)
    .href
)) as { default: (ctx: unknown, script: string) => string };

const policyOf = (response: Response) =>
  new Map(
    (response.headers.get('content-security-policy') ?? '')
      .split(';')
      .map((directive) => directive.trim().split(/\s+/))
      .map(([name = '', ...values]) => [name, values.join(' ')] as const),
  );

test('every answer carries the headers, failures and unknown paths too', async (t) => {
  await using site = await edge([
    (ctx) => {
      if (ctx.path === '/') throw new Error('bug');
      ctx.body = 'ok';
    },
  ]);
  for (const [path, method] of [
    ['/', 'GET'],
    ['/token', 'GET'],
    ['/token', 'POST'],
    ['/nowhere', 'GET'],
    ['/logout', 'GET'],
  ] as const) {
    const { headers } = await site.browse(path, { method });
    t.is(headers.get('x-content-type-options'), 'nosniff', path);
    t.is(headers.get('x-frame-options'), 'DENY', path);
    t.is(headers.get('referrer-policy'), 'no-referrer', path);
    t.is(headers.get('cache-control'), 'no-store', path);
    t.regex(headers.get('strict-transport-security') ?? '', /^max-age=\d{8}/, path);
    t.false(headers.has('x-powered-by'), path);
  }
});

test('what is no page may load nothing and be framed by nobody, and has no headers that are for pages', async (t) => {
  await using site = await edge([answer(() => ({}))]);
  for (const path of ['/token', '/.well-known/jwks.json']) {
    const { headers } = await site.get(path);
    t.is(headers.get('content-security-policy'), "default-src 'none';frame-ancestors 'none'", path);
    t.is(headers.get('x-content-type-options'), 'nosniff', path);
    t.is(headers.get('permissions-policy'), null, path);
    t.is(headers.get('cross-origin-opener-policy'), null, path);
  }
});

test('the policy allows our own stylesheet and pictures, and nothing inline, framed or foreign', async (t) => {
  await using site = await edge([answer(() => 'ok')]);
  const response = await site.get('/');
  t.deepEqual(Object.fromEntries(policyOf(response)), {
    'default-src': "'none'",
    'base-uri': "'none'",
    'form-action': "'self'",
    'frame-ancestors': "'none'",
    'img-src': "'self'",
    'script-src': '',
    'style-src': "'self'",
  });
  t.notRegex(response.headers.get('content-security-policy') ?? '', /unsafe|\*|https?:/);
});

test('a page of the engine that submits itself gets its one line of script, and its form may leave', async (t) => {
  await using site = await edge([
    (ctx) => {
      ctx.type = 'html';
      ctx.body = `<script>${pushScriptSrcSha(ctx, 'go()')}</script>`;
    },
  ]);
  const policy = policyOf(await site.browse('/authorize'));
  t.regex(policy.get('script-src') ?? '', /^'sha256-[A-Za-z0-9+/=]{44}'$/);
  t.false(policy.has('form-action'));
  t.is(policy.get('default-src'), "'none'");
  t.is(policy.get('frame-ancestors'), "'none'");
});

test('a form that ends at a client may lead to https and to the client’s own scheme', async (t) => {
  const targets: Record<string, string> = {
    'https://app.example/cb': "'self' https:",
    'http://127.0.0.1:8080/cb': "'self' https: http:",
    'com.example.app:/cb': "'self' https: com.example.app:",
    'javascript:alert(1)': "'self' https:",
    'data:text/html,x': "'self' https:",
    'https://a;script-src *': "'self' https:",
    nonsense: "'self' https:",
  };
  for (const [target, expected] of Object.entries(targets)) {
    await using site = await edge([
      (ctx) => {
        allowFormRedirect(ctx, target);
        allowFormRedirect(ctx, target);
        ctx.body = 'ok';
      },
    ]);
    const policy = policyOf(await site.get('/interaction/x'));
    t.is(policy.get('form-action'), expected, target);
    t.is(policy.get('script-src'), '', target);
    t.is(policy.size, 7, target);
  }
});

test('a window a client opened is not taken from it while it signs people in; other pages stand alone', async (t) => {
  await using site = await edge([answer(() => 'ok')]);
  for (const path of ['/authorize', '/authorize/x', '/interaction/x', '/logout', '/logout/success'])
    t.is((await site.get(path)).headers.get('cross-origin-opener-policy'), null, path);
  t.is((await site.get('/')).headers.get('cross-origin-opener-policy'), 'same-origin');
});

test('public documents may be read by every site; nothing else may be embedded', async (t) => {
  await using site = await edge([answer(() => ({ keys: [] }))]);
  t.is((await site.get('/.well-known/jwks.json')).headers.get('cross-origin-resource-policy'), 'cross-origin');
  t.is((await site.get('/')).headers.get('cross-origin-resource-policy'), 'same-origin');
  t.is((await site.get('/userinfo')).headers.get('cross-origin-resource-policy'), 'same-origin');
});

test('plain http on loopback promises no https', async (t) => {
  await using site = await edge([answer(() => 'ok')], { issuer: 'http://localhost:3000' });
  t.false((await site.get('/')).headers.has('strict-transport-security'));
});
