import type { Middleware } from 'koa';
import type { Endpoint } from './endpoints.ts';
import { errorOf } from './outcome.ts';
import { stateOf } from './state.ts';

/** What there is to tell of a request when its answer is over. Nothing in it was written by whoever asked. */
export interface Answered {
  readonly method: string;
  /** Its row of the endpoint table. */
  readonly endpoint: Endpoint | undefined;
  readonly status: number;
  /** The connection was gone before the answer was whole. */
  readonly aborted: boolean;
  /** From the request's headers to the end of the answer, in milliseconds. */
  readonly took: number;
  readonly address: string | undefined;
  readonly clientId?: string | undefined;
  /** An OAuth error code of outcome.ts. */
  readonly error?: string | undefined;
  readonly refusalId?: string | undefined;
}

export type Tell = (answered: Answered) => void;

/** The middleware that tells of every answer, in the log and in the metrics, once it is over. */
export const tellAnswered =
  (...listeners: readonly Tell[]): Middleware =>
  (ctx, next) => {
    const started = performance.now();
    ctx.res.once('close', () => {
      const { endpoint, clientId, refusalId, address } = stateOf(ctx);
      const answered: Answered = {
        method: ctx.method,
        endpoint,
        status: ctx.res.statusCode,
        aborted: !ctx.res.writableFinished,
        took: performance.now() - started,
        address,
        clientId,
        error: errorOf(ctx),
        refusalId,
      };
      for (const tell of listeners) tell(answered);
    });
    return next();
  };
