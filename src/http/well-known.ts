import type { Middleware } from 'koa';
import { type Duration, inSeconds, sha256 } from '../lib/index.ts';
import { stateOf } from './state.ts';

/**
 * Lets the public documents (JWKS, discovery) be kept by whoever fetched them: for `maxAge`, and after that for a 304.
 * The body is what the engine made; its CORS headers stay.
 */
export const cacheable =
  ({ maxAge }: { readonly maxAge: Duration }): Middleware =>
  async (ctx, next) => {
    await next();
    if (stateOf(ctx).endpoint?.kind !== 'public') return;
    if (ctx.status !== 200 || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return;
    if (typeof ctx.body !== 'object' || ctx.body === null) return;
    const type = ctx.response.get('Content-Type') || 'application/json';
    const text = JSON.stringify(ctx.body);
    ctx.body = text;
    ctx.set('Content-Type', type);
    ctx.set('Cache-Control', `public, max-age=${inSeconds(maxAge)}`);
    ctx.set('ETag', `"${sha256(text)}"`);
    // RFC 9110 §13.1.2; koa compares the list, weak tags and `*` for us.
    if (ctx.fresh) ctx.status = 304;
  };
