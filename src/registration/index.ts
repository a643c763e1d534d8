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
import { fromAnyOrigin, stateOf } from '../http/index.ts';
import type { Room } from './requests.ts';

/** The routes of this room. */
export function registrationRoutes(room: Room): Middleware {
  let loaded: Promise<(ctx: Context) => Promise<void>> | undefined;
  return async (ctx, next) => {
    if (stateOf(ctx).endpoint?.name !== 'registration') return next();
    if (fromAnyOrigin(ctx, 'WWW-Authenticate')) return;
    loaded ??= import('./requests.ts').then(({ requests }) => requests(room));
    return (await loaded)(ctx);
  };
}
