import type { Context, Middleware } from 'koa';
import { type Logger, newId } from '../lib/index.ts';
import { StoreUnavailable } from '../store/index.ts';
import { failedInFront } from './front.ts';
import { submitsItself } from './headers.ts';
import type { ErrorReason, Pages } from './pages.ts';
import { HttpRefusal } from './refusals.ts';
import { stateOf } from './state.ts';

/** What is written down about a request that was not served. */
export interface Failure {
  readonly status: number;
  /** The OAuth error code. */
  readonly error: string;
  /** Safe to show. */
  readonly sentence: string;
  /** The rule that refused, in words. */
  readonly rule: string;
  /** What was asked, beside method and path. */
  readonly asked?: Readonly<Record<string, unknown>>;
  readonly cause: unknown;
}

/**
 * Writes a failure down and names it (`err_…`). Anybody can cause one, so whoever keeps them must keep only so many. If
 * it throws, the id is a new one that only the log knows.
 */
type Report = (ctx: Context, failure: Failure) => string | Promise<string>;

interface Options {
  readonly report: Report;
  readonly pages: Pick<Pages, 'show'>;
  readonly logger: Logger;
}

/** Seconds after which a client may try again when the store could not answer. */
const RETRY_AFTER = '5';

/**
 * Tells every failure in one place. A refusal of the edge has its own status and sentence; a store that cannot answer is
 * 503; anything else is a bug of ours: 500 with an id, its stack in the log and nowhere else. Whatever was answered
 * before the failure (a commit that fails after the engine has made its answer) is forgotten.
 *
 * The engine catches what is thrown inside it and answers by itself. Its `server_error` listener therefore leaves the
 * error in `ctx.state.failure`, and the answer is made again here. One answer of the engine's stays: a `server_error` on
 * its way to the client (RFC 6749 §4.1.2.1), which is the client's to tell, unless trying again will help.
 */
export function failures({ report, pages, logger }: Options): Middleware {
  async function answer(ctx: Context, thrown: unknown): Promise<void> {
    if (isAbort(ctx, thrown)) return void logger.debug({ endpoint: stateOf(ctx).endpoint?.name }, 'the client left');
    const failure = describe(thrown);
    const id = await keep(ctx, failure);
    if (ctx.headerSent) return void ctx.res.destroy();
    // What was prepared belongs to an answer that is not given.
    for (const header of ANSWERS) ctx.remove(header);
    ctx.set('Cache-Control', 'no-store');
    ctx.set(failure.headers);
    if (isForPrograms(ctx)) openToBrowsers(ctx);
    stateOf(ctx).error = failure.error;
    try {
      if (wantsPage(ctx)) {
        // A form cannot be sent again by a link; and a query may hold a secret, which no error page does.
        const same = failure.reason === 'busy' && ctx.method === 'GET' && !ctx.search ? ctx.path : undefined;
        const retry = failure.retry ?? same;
        return pages.show(ctx, 'error', { reason: failure.reason, id, retry }, failure.status);
      }
    } catch (err) {
      logger.error({ err, id }, 'the error page could not be shown');
    }
    ctx.status = failure.status;
    ctx.body = { error: failure.error, error_description: failure.sentence, error_id: id };
  }

  /** Writes it down, under an id. */
  async function keep(ctx: Context, failure: Told): Promise<string> {
    const state = stateOf(ctx);
    let id: string;
    try {
      // A store that did not answer in time would take as long again to refuse this.
      id = isUnavailable(failure.cause) ? newId('err') : await report(ctx, failure);
    } catch (err) {
      id = newId('err');
      logger.warn({ err, id }, 'a failure could not be kept for `postern explain`; the log alone tells it');
    }
    state.refusalId = id;
    if (failure.status >= 500) {
      // Every request is refused while that lasts: with its stacks each would be two thousand characters of the log's disk.
      const err = isUnavailable(failure.cause) ? reasons(failure.cause) : failure.cause;
      logger.error({ err, id, endpoint: state.endpoint?.name }, failure.rule);
    }
    return id;
  }

  return async (ctx, next) => {
    try {
      failedInFront(ctx.req);
      await next();
    } catch (thrown) {
      return answer(ctx, thrown);
    }
    const { failure } = stateOf(ctx);
    if (failure === undefined) return;
    if (isUnavailable(failure) || !leavesForClient(ctx)) return answer(ctx, failure);
    await keep(ctx, describe(failure));
  };
}

/** Headers that belong to the answer that was being made. */
const ANSWERS = ['Set-Cookie', 'Location', 'ETag', 'Last-Modified', 'Content-Language', 'Content-Disposition'];

/** Whether the answer takes the browser to the client: a redirect, or a form that submits itself. */
const leavesForClient = (ctx: Context): boolean =>
  (ctx.status >= 300 && ctx.status < 400) || submitsItself(ctx.response.get('Content-Security-Policy'));

type Told = Failure & {
  readonly reason: ErrorReason;
  readonly headers: Readonly<Record<string, string>>;
  readonly retry?: string | undefined;
};

function describe(thrown: unknown): Told {
  if (isUnavailable(thrown))
    return {
      status: 503,
      error: 'temporarily_unavailable',
      sentence: 'the server cannot do this at present; try again in a few seconds',
      rule: 'the store is unavailable',
      cause: thrown,
      reason: 'busy',
      headers: { 'Retry-After': RETRY_AFTER },
    };
  if (thrown instanceof HttpRefusal)
    return {
      status: thrown.status,
      error: thrown.error,
      sentence: thrown.message,
      rule: thrown.rule,
      asked: thrown.asked,
      cause: thrown,
      reason: thrown.reason,
      headers: thrown.headers,
      retry: thrown.retry,
    };
  return {
    status: 500,
    error: 'server_error',
    sentence: 'something went wrong on our side',
    rule: 'a bug of the server',
    cause: thrown,
    reason: 'server',
    headers: {},
  };
}

/** Whether the store's being unavailable is the reason, however often it was wrapped. */
const isUnavailable = (error: unknown): boolean => causes(error).some((each) => each instanceof StoreUnavailable);

/** What an error and its causes say, each thing once. */
const reasons = (error: unknown): string =>
  causes(error).reduce(
    (said, { message }) => (said.includes(message) ? said : [said, message].filter(Boolean).join(': ')),
    '',
  );

function causes(error: unknown): readonly Error[] {
  const found: Error[] = [];
  for (let at = error; at instanceof Error && found.length < 8; at = at.cause) found.push(at);
  return found;
}

/** Whether a person reads the answer, as the engine decides it too: a browser asks for text/html by name. */
export const wantsPage = (ctx: Context): boolean => !isForPrograms(ctx) && ctx.accepts('json', 'html') === 'html';

function isForPrograms(ctx: Context): boolean {
  const kind = stateOf(ctx).endpoint?.kind;
  return kind === 'api' || kind === 'public';
}

/**
 * An application in a browser learns what failed, as from the engine's own answers; else a 503 would look to it like no
 * network. There is nothing of anybody's in it.
 */
function openToBrowsers(ctx: Context): void {
  ctx.vary('Origin');
  ctx.set('Access-Control-Allow-Origin', ctx.get('Origin') || '*');
  ctx.set('Access-Control-Expose-Headers', 'DPoP-Nonce,Retry-After,WWW-Authenticate');
}

const ABORTS = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED']);

/** A client that left is no error; a connection of our own that broke is. */
function isAbort(ctx: Context, error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && ABORTS.has(code) && (ctx.req.socket.destroyed || ctx.res.destroyed);
}
