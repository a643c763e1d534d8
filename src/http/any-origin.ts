import type { Context } from 'koa';
import { stateOf } from './state.ts';

/** Seconds for which a browser need not ask again whether it may. */
const MAX_AGE = '3600';

/**
 * Lets an application in a browser call from wherever it is served, where whoever asks shows a token and no cookie counts.
 * Gives true where that was all that was asked.
 * @param exposed headers that it may read
 */
export function fromAnyOrigin(ctx: Context, exposed: string): boolean {
  ctx.vary('Origin');
  ctx.set('Access-Control-Allow-Origin', ctx.get('Origin') || '*');
  if (ctx.method !== 'OPTIONS') {
    ctx.set('Access-Control-Expose-Headers', exposed);
    return false;
  }
  const methods = stateOf(ctx).endpoint?.methods ?? [];
  ctx.set({ 'Access-Control-Allow-Methods': methods.join(','), 'Access-Control-Max-Age': MAX_AGE });
  const headers = ctx.get('Access-Control-Request-Headers');
  if (headers) ctx.set('Access-Control-Allow-Headers', headers);
  ctx.status = 204;
  return true;
}
