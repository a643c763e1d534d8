import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { createAssets } from '../../src/http/assets.ts';
import { createPages, type PageName } from '../../src/http/pages.ts';
import { supportedLocales } from '../../src/words/index.ts';
import type { Samples } from './samples.ts';

const CSP = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'";

export interface Site extends AsyncDisposable {
  readonly origin: string;
  /** What was posted, in order. */
  readonly posted: URLSearchParams[];
  /** The address of a page of one of the sets of samples given. */
  address(page: PageName, options?: { locale?: string; set?: number }): string;
}

/** All pages on a real address, with the assets and the policy they are served with. */
export async function openSite(
  sets: readonly Samples[],
  brand = { name: 'Postern', accent: '#1f5fbf' },
): Promise<Site> {
  const assets = createAssets({ brand });
  const pages = createPages({ brand, assets });
  const posted: URLSearchParams[] = [];

  const app = new Koa();
  app.use((ctx, next) => {
    ctx.set('Content-Security-Policy', CSP);
    return next();
  });
  app.use(assets.middleware);
  app.use(async (ctx) => {
    if (ctx.method === 'POST') {
      let body = '';
      for await (const chunk of ctx.req) body += chunk;
      posted.push(new URLSearchParams(body));
    }
    const [, set = '0', page = ''] = ctx.path.split('/');
    const locale = supportedLocales.find((ours) => ours === ctx.query['locale']);
    const samples = sets[Number(set)] ?? sets[0]!;
    if (locale) ctx.state.uiLocales = locale;
    if (page in samples) pages.show(ctx, page as PageName, samples[page as PageName]);
    else pages.show(ctx, 'not-found', {});
  });

  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    posted,
    address: (page, { locale = 'en', set = 0 } = {}) => `${origin}/${set}/${page}?locale=${locale}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
