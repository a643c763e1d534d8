import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import { cookieStyle, getCookie, setCookie } from './cookies.ts';

const VALUE = /^[A-Za-z0-9_-]{22}$/;

export type BrowserMark = ReturnType<typeof createBrowserMark>;

/**
 * Marks the browser that leaves for an upstream, until it is closed: what comes back is taken from this browser alone. 128
 * random bits; whoever keeps them keeps a digest.
 */
export function createBrowserMark({ issuer }: { readonly issuer: string }) {
  const style = cookieStyle(issuer);

  function read(ctx: Context): string | undefined {
    const value = getCookie(ctx, style, 'upstream');
    return value && VALUE.test(value) ? value : undefined;
  }

  return {
    read,

    /** The browser's mark; one without is given one. */
    put(ctx: Context): string {
      const known = read(ctx);
      if (known) return known;
      const made = randomBytes(16).toString('base64url');
      setCookie(ctx, style, 'upstream', made);
      return made;
    },
  };
}
