import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import { days } from '../lib/index.ts';
import { cookieStyle, getCookie, setCookie } from './cookies.ts';

/** Close to the longest that browsers keep a cookie. */
const LIFETIME = days(365);

const VALUE = /^[A-Za-z0-9_-]{22}$/;

export type Device = ReturnType<typeof createDevice>;

/**
 * Names a browser (OWASP "device cookies"): guesses from a browser that has signed in to an account before are counted
 * by themselves, so that strangers who guess at it cannot lock its owner out. The name is 128 random bits and says
 * nothing; which accounts it has signed in to the domain knows.
 */
export function createDevice({ issuer }: { readonly issuer: string }) {
  const style = cookieStyle(issuer);
  return {
    /** The browser's name; one without a name is given one. */
    id(ctx: Context): string {
      const known = getCookie(ctx, style, 'device');
      if (known && VALUE.test(known)) return known;
      const made = randomBytes(16).toString('base64url');
      setCookie(ctx, style, 'device', made, LIFETIME);
      return made;
    },
  };
}
