/**
 * JSON for operators at `/admin/api/v1`: routes.ts is the one table of what is answered there; requests.ts answers by it,
 * openapi.ts tells of it, callers.ts says who may. All that is loaded when somebody first asks.
 */
import type { Context, Middleware } from 'koa';
import { fromAnyOrigin, stateOf } from '../../http/index.ts';
import type { Room } from './requests.ts';

/** What an application in a browser may read beside the body. */
const EXPOSED = 'DPoP-Nonce,Location,WWW-Authenticate';

export function adminApi(room: Room): Middleware {
  let loaded: Promise<(ctx: Context) => Promise<void>> | undefined;
  return async (ctx, next) => {
    if (stateOf(ctx).endpoint?.name !== 'admin-api') return next();
    if (fromAnyOrigin(ctx, EXPOSED)) return;
    loaded ??= import('./requests.ts').then(({ requests }) => requests(room));
    return (await loaded)(ctx);
  };
}
