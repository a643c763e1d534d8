import type { Context, Middleware } from 'koa';
import { HttpRefusal } from './refusals.ts';
import { stateOf } from './state.ts';

/** `body` is the engine's own limit, which it answers with 400 and without saying why. */
export const REQUEST_LIMITS = { url: 8 * 1024, body: 56 * 1024, parameters: 100 } as const;

/**
 * Refuses what no endpoint could mean, before any of them reads it: methods an endpoint does not have, over-long URLs and
 * bodies, too many or unreadable parameters.
 */
export const limits = (): Middleware => (ctx, next) => {
  checkMethod(ctx);
  checkUrl(ctx.req.url ?? '/', ctx.querystring);
  if (Number(ctx.req.headers['content-length'] ?? 0) > REQUEST_LIMITS.body)
    throw new HttpRefusal('body_too_large', `A request body may have at most ${REQUEST_LIMITS.body} bytes.`, {
      status: 413,
      reason: 'tooLarge',
    });
  return tellMethods(ctx) ? undefined : next();
};

/** What asks for OPTIONS without being a browser's preflight is told what there is (RFC 9110 §9.3.7); nobody behind would answer. */
function tellMethods(ctx: Context): boolean {
  const { endpoint } = stateOf(ctx);
  if (!endpoint || ctx.method !== 'OPTIONS' || ctx.get('Access-Control-Request-Method')) return false;
  ctx.status = 204;
  ctx.set('Allow', endpoint.methods.join(', '));
  return true;
}

/** A known path under a wrong method is 405, not 404: what is wrong is the method (RFC 9110 §15.5.6). */
function checkMethod(ctx: Context): void {
  const { endpoint } = stateOf(ctx);
  if (!endpoint || endpoint.methods.includes(ctx.method)) return;
  throw new HttpRefusal('method_not_allowed', `This address answers to ${endpoint.methods.join(', ')} only.`, {
    status: 405,
    headers: { Allow: endpoint.methods.join(', ') },
  });
}

function checkUrl(url: string, query: string): void {
  if (url.length > REQUEST_LIMITS.url)
    throw new HttpRefusal('url_too_long', `A URL may have at most ${REQUEST_LIMITS.url} characters.`, {
      status: 414,
      reason: 'tooLarge',
    });
  if (query.split('&').length > REQUEST_LIMITS.parameters)
    throw new HttpRefusal('too_many_parameters', `A URL may have at most ${REQUEST_LIMITS.parameters} parameters.`, {
      status: 400,
    });
  if (!isReadable(url))
    throw new HttpRefusal('unreadable_url', 'The URL contains a broken %-escape, bytes that are not UTF-8, or NUL.', {
      status: 400,
    });
}

function isReadable(url: string): boolean {
  try {
    return !decodeURIComponent(url).includes('\0');
  } catch {
    return false;
  }
}
