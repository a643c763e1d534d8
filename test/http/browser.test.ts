import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import type { Context, Middleware } from 'koa';
import type { Browser } from 'playwright-core';
import { allowFormRedirect, createCsrf, readForm } from '../../src/http/index.ts';
import { openBrowser } from '../browser/browser.ts';
import { edge } from './support.ts';

let browser: Browser;
test.before(async () => {
  browser = await openBrowser();
});
test.after.always(() => browser?.close());

/** An application on an origin of its own: `/cb` goes on to `next`, everything else says what came. */
async function application(next?: string) {
  const server = createServer((req, res) => {
    if (next && req.url?.startsWith('/cb')) return res.writeHead(303, { location: next }).end();
    res.writeHead(200, { 'content-type': 'text/html' }).end('<title>arrived</title><main>arrived</main>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { origin, [Symbol.asyncDispose]: async () => void server.close().closeAllConnections() };
}

const html = (body: string) => `<!doctype html><title>page</title><main>${body}</main>`;

/** By the name browsers hold for this machine itself; our pages' origin is then not the applications'. */
const local = (url: string) => url.replace('127.0.0.1', 'localhost');

test('no script runs, be it inline or from our own origin', async (t) => {
  await using site = await edge([
    (ctx) => {
      if (ctx.path === '/assets/a.js') {
        ctx.type = 'text/javascript';
        ctx.body = 'document.title = "ran"';
        return;
      }
      ctx.type = 'html';
      ctx.body = html(
        '<script>document.title = "ran"</script><script src="/assets/a.js"></script><img src="x" onerror="document.title = \'ran\'">',
      );
    },
  ]);
  const page = await browser.newPage();
  await page.goto(`${local(site.origin)}/interaction/a`, { waitUntil: 'networkidle' });
  t.is(await page.title(), 'page');
  await page.close();
});

test('a form of ours comes from a browser with Origin null, from the same site, and is believed', async (t) => {
  const csrf = createCsrf({ issuer: 'http://localhost:3000', secrets: () => ['s'.repeat(43)] });
  let sent: { origin: string; site: string } | undefined;
  const site = await edge(
    [
      async (ctx) => {
        if (ctx.method === 'POST') {
          sent = { origin: ctx.get('Origin'), site: ctx.get('Sec-Fetch-Site') };
          csrf.check(ctx, await readForm(ctx));
        }
        ctx.type = 'html';
        ctx.body = html(
          ctx.method === 'POST'
            ? 'believed'
            : `<form method="post"><input type="hidden" name="csrf" value="${csrf.token(ctx)}"><button>Go</button></form>`,
        );
      },
    ],
    { issuer: 'http://localhost:3000' },
  );
  await using _ = site;
  const page = await browser.newPage();
  await page.goto(`${local(site.origin)}/interaction/a`);
  await page.click('button');
  t.is(await page.textContent('main'), 'believed');
  t.deepEqual(sent, { origin: 'null', site: 'same-origin' });
  await page.close();
});

for (const allowed of [true, false]) {
  test(`a form that leads to the application and on to another of its origins ${allowed ? 'arrives where that was allowed' : 'is stopped where it was not'}`, async (t) => {
    await using last = await application();
    await using client = await application(`${last.origin}/home`);
    const room: Middleware = (ctx) => {
      if (ctx.method === 'POST') {
        ctx.status = 303;
        return ctx.redirect(`${client.origin}/cb?code=x`);
      }
      ctx.type = 'html';
      ctx.body = html('<form method="post"><button>Go</button></form>');
      if (allowed) allowFormRedirect(ctx, `${client.origin}/cb`);
    };
    await using site = await edge([room]);
    const page = await browser.newPage();
    await page.goto(`${local(site.origin)}/interaction/a`);
    const refused = page.waitForEvent('console', { predicate: (line) => line.text().includes('form-action') });
    await page.click('button', { noWaitAfter: true });
    if (allowed) {
      refused.catch(() => {});
      await page.waitForURL(`${last.origin}/home`);
    } else await refused;
    t.is(page.url().startsWith(last.origin), allowed);
    await page.close();
  });
}

test("the engine's page submits itself to the application, under our policy", async (t) => {
  // The engine's own code, from where it lies: its exports forbid the name.
  const engine = dirname(createRequire(import.meta.url).resolve('oidc-provider'));
  const { default: formPost } = (await import(pathToFileURL(join(engine, 'response_modes', 'form_post.js')).href)) as {
    default: (ctx: Context, action: string, inputs: Record<string, string>) => void;
  };
  await using client = await application();
  await using site = await edge([(ctx) => formPost(ctx, `${client.origin}/form`, { code: 'x' })]);
  const page = await browser.newPage();
  await page.goto(`${local(site.origin)}/authorize`, { waitUntil: 'commit' });
  await page.waitForURL(`${client.origin}/form`);
  t.is(await page.textContent('main'), 'arrived');
  await page.close();
});

test('a window that an application opened for signing in is still its own when it comes back; other pages cut it off', async (t) => {
  await using client = await application();
  await using site = await edge([
    (ctx) => {
      ctx.type = 'html';
      ctx.body = html(`<a href="${client.origin}/done">back</a>`);
    },
  ]);
  for (const [path, kept] of [
    ['/authorize', true],
    ['/interaction/a', true],
    ['/', false],
  ] as const) {
    const page = await browser.newPage();
    await page.goto(client.origin);
    const [popup] = await Promise.all([
      page.waitForEvent('popup'),
      page.evaluate(`void window.open('${local(site.origin)}${path}', 'w', 'width=300,height=300')`),
    ]);
    await popup.waitForSelector('a');
    await popup.click('a');
    await popup.waitForURL(`${client.origin}/done`);
    t.is(await popup.evaluate('window.opener !== null'), kept, path);
    await page.close();
    await popup.close();
  }
});
