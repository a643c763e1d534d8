/**
 * registration: applications that register themselves, and look after what they said (RFC 7591, RFC 7592).
 *
 * It owns what is read of such a request and how it is answered. It decides nothing: the domain makes clients, whoever asks,
 * and what an application says of itself never holds a privilege. What it refuses goes to http/failures.ts.
 *
 * metadata.ts reads what an application says, answers.ts tells what is registered of it. All that is loaded when somebody
 * first asks.
 */
import type { Context, Middleware } from 'koa';
import { stateOf } from '../http/index.ts';
import type { Room } from './requests.ts';

/** Seconds for which a browser need not ask again whether it may. */
const MAX_AGE = '3600';

/** The routes of this room. */
export function registrationRoutes(room: Room): Middleware {
  let loaded: Promise<(ctx: Context) => Promise<void>> | undefined;
  return async (ctx, next) => {
    if (stateOf(ctx).endpoint?.name !== 'registration') return next();
    // As the engine does for its own: whoever asks shows a token, and no cookie counts here.
    ctx.vary('Origin');
    ctx.set('Access-Control-Allow-Origin', ctx.get('Origin') || '*');
    if (ctx.method === 'OPTIONS') return allow(ctx, stateOf(ctx).endpoint?.methods ?? []);
    ctx.set('Access-Control-Expose-Headers', 'WWW-Authenticate');
    loaded ??= import('./requests.ts').then(({ requests }) => requests(room));
    return (await loaded)(ctx);
  };
}

function allow(ctx: Context, methods: readonly string[]): void {
  ctx.set({ 'Access-Control-Allow-Methods': methods.join(','), 'Access-Control-Max-Age': MAX_AGE });
  const headers = ctx.get('Access-Control-Request-Headers');
  if (headers) ctx.set('Access-Control-Allow-Headers', headers);
  ctx.status = 204;
}
