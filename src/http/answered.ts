import type { ServerResponse } from 'node:http';
import type { Middleware } from 'koa';
import type { Endpoint } from './endpoints.ts';
import { errorOf } from './outcome.ts';
import { stateOf } from './state.ts';

/** What there is to tell of a request when its answer is over. Nothing in it was written by whoever asked. */
export interface Answered extends Asked {
  readonly status: number;
  /** The connection was gone before the answer was whole. */
  readonly aborted: boolean;
  /** From the request's headers to the end of the answer, in milliseconds. */
  readonly took: number;
}

interface Asked {
  readonly method: string;
  /** Its row of the endpoint table. */
  readonly endpoint: Endpoint | undefined;
  readonly address: string | undefined;
  readonly clientId?: string | undefined;
  /** An OAuth error code of outcome.ts. */
  readonly error?: string | undefined;
  readonly refusalId?: string | undefined;
}

export type Tell = (answered: Answered) => void;

/** Tells of an answer once it is over, when it also asks what was asked; what it gives back calls that off. */
export function whenAnswered(res: ServerResponse, tell: Tell, asked: () => Asked): () => void {
  const started = performance.now();
  const over = (): void =>
    tell({
      ...asked(),
      status: res.statusCode,
      aborted: !res.writableFinished,
      took: performance.now() - started,
    });
  res.on('close', over);
  return () => void res.off('close', over);
}

/** The middleware that tells of every answer, in the log and in the metrics. */
export const tellAnswered =
  (tell: Tell): Middleware =>
  (ctx, next) => {
    whenAnswered(ctx.res, tell, () => {
      const { endpoint, clientId, refusalId, address } = stateOf(ctx);
      return { method: ctx.method, endpoint, address, clientId, error: errorOf(ctx), refusalId };
    });
    return next();
  };

export const tellAll =
  (...listeners: readonly Tell[]): Tell =>
  (answered) => {
    for (const tell of listeners) tell(answered);
  };
