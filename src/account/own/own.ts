import type { Context } from 'koa';
import type { Domain } from '../../domain/index.ts';
import type { OwnSessions, SignedIn } from '../../engine/index.ts';
import type { OwnFactors, Passkeys } from '../../factors/index.ts';
import { type Csrf, type GuardedPage, guardedPage, type Pages, sendOn } from '../../http/index.ts';
import type { UpstreamLinks } from '../../interaction/index.ts';
import { type Clock, minutes } from '../../lib/index.ts';

/** What the pages of somebody's own account are given. */
export interface OwnRoom {
  readonly domain: Domain;
  readonly ownSessions: OwnSessions;
  readonly ownFactors: OwnFactors;
  readonly passkeys: Pick<Passkeys, 'available'>;
  readonly upstreamLinks: UpstreamLinks;
  readonly pages: Pages;
  readonly csrf: Csrf;
  readonly now: Clock;
}

/** One page of the account. */
export interface OwnPage extends GuardedPage<SignedIn> {
  /** Whoever opens it must have proven who they are lately. */
  readonly sensitive?: boolean;
  /** It is a file and no page: whoever has to sign in first comes back to the page of this name, which offers it. */
  readonly offeredBy?: string;
}

/** How lately. */
const FRESH = minutes(10);

/** Lets the owner of an account in to a page, and nobody else; asks whoever is not signed in, or not lately, to sign in. */
export function ownPage({ domain, ownSessions, pages, csrf, now }: OwnRoom, page: OwnPage) {
  async function admit(ctx: Context): Promise<SignedIn | undefined> {
    const me = await ownSessions.current(ctx);
    if (me && (!page.sensitive || now() - me.since < FRESH)) return me;
    sendOn(ctx, ownSessions.signInAddress(page.offeredBy ?? page.name, page.sensitive ? { within: FRESH } : {}));
    return undefined;
  }
  return guardedPage({ room: 'account', csrf, pages, sentForms: domain.sentForms, admit }, page);
}
