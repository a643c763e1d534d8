import type { Middleware } from 'koa';
import type { Logger } from '../lib/index.ts';
import { errorOf } from './outcome.ts';
import { stateOf } from './state.ts';

/**
 * One line per request. The path is the endpoint table's own (`/interaction/:uid`), so that nothing a request carries in
 * its path or query reaches the log; a path that is in no row is not written at all.
 */
export const accessLog =
  (logger: Logger): Middleware =>
  (ctx, next) => {
    const started = performance.now();
    ctx.res.once('close', () => {
      const { endpoint, clientId, refusalId, address } = stateOf(ctx);
      const error = errorOf(ctx);
      logger.info(
        {
          method: ctx.method,
          path: endpoint?.path ?? '(unknown)',
          status: ctx.res.statusCode,
          ...(!ctx.res.writableFinished && { aborted: true }),
          ms: Math.round((performance.now() - started) * 10) / 10,
          ...(address !== undefined && { address }),
          ...(clientId !== undefined && { client_id: clientId }),
          ...(error !== undefined && { error }),
          ...(refusalId !== undefined && { refusal: refusalId }),
        },
        'request',
      );
    });
    return next();
  };
