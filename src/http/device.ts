import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import { days } from '../lib/index.ts';
import { cookieStyle, createSigner, getCookie, type Secrets, setCookie } from './cookies.ts';

/** Accounts one browser is remembered for: a family's, and an end to the cookie's length. */
const MOST = 5;

/** Close to the longest that browsers keep a cookie. */
const LIFETIME = days(365);

const VALUE = /^[A-Za-z0-9_-]{22}(\.[A-Za-z0-9_-]{43}){0,5}$/;

export type Device = ReturnType<typeof createDevice>;

/**
 * Which accounts a browser has signed in to before (OWASP "device cookies"): guesses from a known browser are counted by
 * themselves, so that strangers who guess at an account cannot lock its owner out. The cookie holds a random id and, per
 * account, a proof that only we can make; it names nobody and signs nobody in.
 */
export function createDevice({ issuer, secrets }: { readonly issuer: string; readonly secrets: Secrets }) {
  const style = cookieStyle(issuer);
  const signer = createSigner(secrets, 'device');

  function parse(ctx: Context): { id: string; proofs: string[] } | undefined {
    const value = getCookie(ctx, style, 'device');
    if (!value || !VALUE.test(value)) return undefined;
    const [id = '', ...proofs] = value.split('.');
    return { id, proofs };
  }

  return {
    /** The browser's id, if it has signed in to this account before. */
    read(ctx: Context, accountId: string): string | undefined {
      const device = parse(ctx);
      return device?.proofs.some((proof) => signer.verify(`${device.id}|${accountId}`, proof)) ? device.id : undefined;
    },

    /** Call it when somebody has signed in. The account stands first; the one longest unused falls off the end. */
    mark(ctx: Context, accountId: string): void {
      const device = parse(ctx) ?? { id: randomBytes(16).toString('base64url'), proofs: [] };
      const subject = `${device.id}|${accountId}`;
      const others = device.proofs.filter((proof) => !signer.verify(subject, proof));
      const proofs = [signer.sign(subject), ...others].slice(0, MOST);
      setCookie(ctx, style, 'device', [device.id, ...proofs].join('.'), LIFETIME);
    },
  };
}
