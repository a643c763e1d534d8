import type { Middleware } from 'koa';
import { wantsPage } from './failures.ts';
import type { Pages } from './pages.ts';

/** The last one: nobody above answered. */
export const notFound =
  ({ pages }: { readonly pages: Pick<Pages, 'show'> }): Middleware =>
  (ctx) => {
    if (wantsPage(ctx)) return pages.show(ctx, 'not-found', {}, 404);
    ctx.status = 404;
    ctx.body = { error: 'not_found', error_description: 'there is nothing at this address' };
  };
