import type { Context } from 'koa';
import { deriveKey, hmac, minutes, type SealingKey, sameText } from '../lib/index.ts';
import { pathCookie } from './path-cookie.ts';
import type { Stored } from './proofs.ts';

export type WayBack = ReturnType<typeof createWayBack>;

interface Options {
  readonly key: SealingKey;
  readonly https: boolean;
}

/** The browser goes there at once. */
const LIFETIME = minutes(10);

/**
 * That the browser which comes back to the engine is the one which signed in. The engine goes by cookies from before that: a page
 * of a sibling domain can plant its own there, and would be given the session of whoever signs in with them. The same for every
 * click, so that it does not matter which was answered.
 */
export function createWayBack({ key, https }: Options) {
  const own = deriveKey(key, 'way-back');
  const cookie = pathCookie('postern.proven', { https, lifetime: LIFETIME });
  const proofOf = (uid: string, accountId: string): string => hmac(own, `${uid}|${accountId}`);

  return {
    /** To the browser that has just proven who it is. */
    give(ctx: Context, { uid, returnTo }: Stored, accountId: string): void {
      cookie.give(ctx, new URL(returnTo).pathname, proofOf(uid, accountId));
    },

    /** Whether somebody else signed in than comes back. */
    isAnothers(ctx: Pick<Context, 'cookies'>, uid: string, result: Stored['result']): boolean {
      const accountId = result?.login?.accountId;
      return accountId !== undefined && !sameText(cookie.read(ctx) ?? '', proofOf(uid, accountId));
    },
  };
}
