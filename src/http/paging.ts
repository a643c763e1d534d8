import type { Context } from 'koa';
import type { Form } from './forms.ts';

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

/** The page of a room that a form came from, however far on in its list: the form says so by its `after`. */
export const backTo = (name: string, { after = '' }: Form): string =>
  after === '' ? name : `${name}?${new URLSearchParams({ after })}`;
