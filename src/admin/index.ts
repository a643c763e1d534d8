/**
 * admin: what operators do over the network: in a browser at `/admin` (pages/), by programs at `/admin/api/v1` (api/).
 *
 * It owns who may, looked at with every request: in a browser somebody who is signed in, is an operator at this very request, and
 * has proven lately who they are; for a program whoever an operator let have a token for this API. It owns what is asked and
 * shown; what is done are `operations/`, the same as of the command line, and every event of it says whose doing it was. Both
 * load with the first request for them: most servers are never asked.
 */
import type { Middleware } from 'koa';
import { stateOf } from '../http/index.ts';
import type { OperatorRoom } from './pages/index.ts';

export { adminApi } from './api/index.ts';

/** The pages of this room. */
export function adminRoutes(room: OperatorRoom): Middleware {
  let pages: Promise<Middleware> | undefined;
  return async (ctx, next) => {
    if (stateOf(ctx).endpoint?.name !== 'admin') return next();
    pages ??= import('./pages/index.ts').then(({ operatorPages }) => operatorPages(room));
    return (await pages)(ctx, next);
  };
}
