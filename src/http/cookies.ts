import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import { type Duration, deriveKey, hmac, inSeconds, type SealingKey, sameText } from '../lib/index.ts';

/** Secrets of at least 128 random bits: the newest first, which signs; the others still verify. */
export type Secrets = () => readonly (Uint8Array | string)[];

/** How our cookies are named and sent for one issuer. */
interface CookieStyle {
  /** `__Host-postern.csrf` on https: a subdomain can then neither read nor plant it. Loopback http cannot have that. */
  name(noun: string): string;
  /** For `ctx.cookies.set`, the engine's own cookies included. */
  readonly options: {
    readonly path: '/';
    readonly httpOnly: true;
    readonly sameSite: 'lax';
    readonly secure: boolean;
    readonly overwrite: true;
  };
}

/** Browsers take `__Host-` only from https, for the path /, without a domain; on loopback, over http, the name goes without it. */
export function cookieStyle(issuer: string): CookieStyle {
  const secure = issuer.startsWith('https:');
  return {
    name: (noun) => `${secure ? '__Host-' : ''}postern.${noun}`,
    options: { path: '/', httpOnly: true, sameSite: 'lax', secure, overwrite: true },
  };
}

/** Sets a cookie that carries its own proof, so that Koa's `.sig` twin is not needed. */
export function setCookie(ctx: Context, style: CookieStyle, noun: string, value: string, maxAge?: Duration): void {
  const lasting = maxAge === undefined ? {} : { maxAge: inSeconds(maxAge) * 1000 };
  ctx.cookies.set(style.name(noun), value, { ...style.options, ...lasting, signed: false });
}

export const getCookie = (ctx: Context, style: CookieStyle, noun: string): string | undefined =>
  ctx.cookies.get(style.name(noun), { signed: false });

/** 128 random bits. */
const BROWSER = /^[A-Za-z0-9_-]{22}$/;

/** A cookie that names a browser and says nothing. @param lifetime until the browser is closed unless given */
export function browserCookie(issuer: string, noun: string, lifetime?: Duration) {
  const style = cookieStyle(issuer);
  const given = new WeakMap<Context, string>();

  /** Undefined for a browser without a name; one that this very answer gives it counts. */
  function read(ctx: Context): string | undefined {
    const name = getCookie(ctx, style, noun);
    return name && BROWSER.test(name) ? name : given.get(ctx);
  }

  return {
    read,

    /** The browser's name; one without is given one. */
    id(ctx: Context): string {
      const known = read(ctx);
      if (known) return known;
      const made = randomBytes(16).toString('base64url');
      given.set(ctx, made);
      setCookie(ctx, style, noun, made, lifetime);
      return made;
    },
  };
}

/** Signs with the newest secret and verifies with any, under a key of the purpose's own. */
export function createSigner(secrets: Secrets, purpose: string) {
  const keys = new Map<string, SealingKey>();
  const keyOf = (secret: Uint8Array | string): SealingKey => {
    const name = typeof secret === 'string' ? secret : Buffer.from(secret).toString('base64url');
    const known = keys.get(name);
    if (known) return known;
    // Secrets rotate by the month; the old ones' keys are few but need not stay.
    if (keys.size > 16) keys.clear();
    const key = deriveKey(secret, purpose);
    keys.set(name, key);
    return key;
  };
  /** Which of the secrets signed it: 0 for the newest, -1 for none. */
  const index = (text: string, signature: string): number =>
    secrets().findIndex((secret) => sameText(hmac(keyOf(secret), text), signature));
  return {
    sign(text: string): string {
      const [newest] = secrets();
      if (newest === undefined) throw new Error(`there is no secret to sign ${purpose} with`);
      return hmac(keyOf(newest), text);
    },
    index,
    verify: (text: string, signature: string): boolean => index(text, signature) >= 0,
  };
}
