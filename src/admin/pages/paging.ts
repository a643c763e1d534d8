import type { Context } from 'koa';

/** How many a listing shows on a page. */
export const SHOWN = 50;

/** The page of a listing that the address names by its `after`. */
export function pageOf(ctx: Context): { limit: number; after?: string } {
  const { after } = ctx.query;
  return { limit: SHOWN, ...(typeof after === 'string' && after !== '' && { after }) };
}

/** The address of the page after it, where there is one. */
export const nextOf = (ctx: Context, next: string | undefined, more: Readonly<Record<string, string>> = {}) =>
  next === undefined ? undefined : `${ctx.path}?${new URLSearchParams({ ...more, after: next })}`;
