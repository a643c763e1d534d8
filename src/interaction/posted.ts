import type { Context } from 'koa';
import { readFields, sendOn } from '../http/index.ts';

/**
 * A request that an application sends as a form (OIDC Core §3.1.2.1, RP-Initiated Logout §2) goes on as the same request
 * by GET: the browser then brings our cookies along, which it withholds from another site's POST (SameSite=Lax). What it
 * says, doubled parameters too, is the engine's to judge.
 */
export async function byGet(ctx: Context): Promise<void> {
  sendOn(ctx, `${ctx.path}?${await readFields(ctx)}`);
}
