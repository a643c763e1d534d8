import type { Context } from 'koa';

/** Sends the browser on with GET, so that going back or reloading repeats no form (RFC 9110 §15.4.4). */
export function sendOn(ctx: Context, to: string): void {
  ctx.status = 303;
  ctx.redirect(to);
}
