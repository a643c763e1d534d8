import { setTimeout } from 'node:timers/promises';
import type { Context } from 'koa';
import { milliseconds } from '../lib/index.ts';

/** Long enough for the other tab's answer to have brought its cookie. */
const A_MOMENT = milliseconds(200);

/** How often a browser is sent to ask the same where nothing but its own next cookie can help. */
const MOST = 3;

/**
 * Another tab of the same browser was faster. Nothing was changed, so the browser asks the same again, and is answered by
 * what is true then; 307 repeats a form as it was (RFC 9110 §15.4.8).
 */
export async function askAgain(ctx: Context, to: string = ctx.originalUrl): Promise<void> {
  await setTimeout(A_MOMENT);
  ctx.remove('Set-Cookie');
  ctx.status = 307;
  ctx.body = '';
  ctx.set('Location', to);
}

/** Where to ask the same once more; undefined where that was done often enough to no avail. */
export function onceMore(ctx: Pick<Context, 'originalUrl'>, most = MOST): string | undefined {
  const url = new URL(ctx.originalUrl, 'http://here.invalid');
  const times = Number(url.searchParams.get('again') ?? 0);
  if (!(times < most)) return undefined;
  url.searchParams.set('again', String(times + 1));
  return url.pathname + url.search;
}
