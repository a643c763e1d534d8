/**
 * admin: what operators do in a browser, at `/admin`.
 *
 * It owns who may (somebody who is signed in, is an operator at this very request, and has proven lately who they are) and
 * what is asked and shown; what is done are `operations/`, the same as of the command line, and every event of it says whose
 * doing it was. It loads with the first request for it: most servers are never asked.
 */
import type { Middleware } from 'koa';
import { stateOf } from '../http/index.ts';
import type { OperatorRoom } from './pages/index.ts';

/** The routes of this room. */
export function adminRoutes(room: OperatorRoom): Middleware {
  let pages: Promise<Middleware> | undefined;
  return async (ctx, next) => {
    if (stateOf(ctx).endpoint?.name !== 'admin') return next();
    pages ??= import('./pages/index.ts').then(({ operatorPages }) => operatorPages(room));
    return (await pages)(ctx, next);
  };
}
