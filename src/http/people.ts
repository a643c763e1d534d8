import type { Context } from 'koa';
import { days } from '../lib/index.ts';
import { cookieStyle, createSigner, getCookie, type Secrets, setCookie } from './cookies.ts';

/** Close to the longest that browsers keep a cookie. */
const LIFETIME = days(365);
const MOST = 5;
const VALUE = /^(usr_[\w-]{22}(?:\.usr_[\w-]{22})*)~([\w-]{43})$/;

export type KnownPeople = ReturnType<typeof createKnownPeople>;

/**
 * Who wanted to stay signed in on this browser, the last first: whom the account chooser offers. Signed, because whoever
 * could write an id there would be shown whose it is. It signs nobody in.
 */
export function createKnownPeople({ issuer, secrets }: { readonly issuer: string; readonly secrets: Secrets }) {
  const style = cookieStyle(issuer);
  const signer = createSigner(secrets, 'people');

  function read(ctx: Context): readonly string[] {
    const [, ids = '', signature = ''] = VALUE.exec(getCookie(ctx, style, 'people') ?? '') ?? [];
    return ids && signer.verify(ids, signature) ? ids.split('.') : [];
  }

  return {
    /** The ids of their accounts. */
    read,

    add(ctx: Context, accountId: string): void {
      const ids = [accountId, ...read(ctx).filter((id) => id !== accountId)].slice(0, MOST).join('.');
      setCookie(ctx, style, 'people', `${ids}~${signer.sign(ids)}`, LIFETIME);
    },

    forget: (ctx: Context): void =>
      void ctx.cookies.set(style.name('people'), null, { ...style.options, signed: false }),
  };
}
