import type { Context } from 'koa';
import type { Domain } from '../../domain/index.ts';
import type { OwnSessions, SignedIn } from '../../engine/index.ts';
import type { OwnFactors, Passkeys } from '../../factors/index.ts';
import { type AccountFrame, type Csrf, type Form, type Pages, readForm, sendOn } from '../../http/index.ts';
import type { UpstreamLinks } from '../../interaction/index.ts';
import { type Clock, minutes } from '../../lib/index.ts';
import { createClicks } from '../clicks.ts';

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

/** One page of the account. Its path is `/account/<name>`, or `/account` for ''. */
export interface OwnPage {
  readonly name: string;
  /** Whoever opens it must have proven who they are lately. */
  readonly sensitive?: boolean;
  /** It is a file and no page: whoever has to sign in first comes back to the page of this name, which offers it. */
  readonly offeredBy?: string;
  /** @param form what was sent, where the page is shown once more because of it */
  show(ctx: Context, me: SignedIn, frame: AccountFrame, form?: Form): Promise<void>;
  /** What each button does, by the `decision` it sends. */
  readonly decisions?: Readonly<Record<string, Decision>>;
  /** Where a form leads that a moment ago ended the session it came from, through whichever process; undefined for any other. */
  ended?(form: Form): Promise<string | undefined>;
}

/**
 * Where the person goes next: a page of the account by its name, with the word for what was done; `{ error }` shows this
 * page once more; nothing where it was answered.
 */
export type Outcome =
  | { readonly to: string; readonly done?: string }
  | { readonly error: string; readonly status?: number; readonly again?: number }
  | undefined;

type Decision = (ctx: Context, me: SignedIn, form: Form) => Promise<Outcome>;

/** How lately. */
const FRESH = minutes(10);

const pathOf = (name: string): string => (name === '' ? '/account' : `/account/${name}`);

/** A form counts only in the session it was shown in. */
const boundTo = ({ sessionId, person }: SignedIn): string => `account|${person.id}|${sessionId}`;

/** Lets the owner of an account in to a page, and nobody else; asks whoever is not signed in, or not lately, to sign in. */
export function ownPage(room: OwnRoom, page: OwnPage) {
  const { ownSessions, csrf, now } = room;
  const clicks = createClicks();
  const path = pathOf(page.name);

  /** Who may see it; undefined where somebody has to sign in first. */
  async function owner(ctx: Context): Promise<SignedIn | undefined> {
    const me = await ownSessions.current(ctx);
    return me && (!page.sensitive || now() - me.since < FRESH) ? me : undefined;
  }

  const signInAddress = (): string =>
    ownSessions.signInAddress(page.offeredBy ?? page.name, page.sensitive ? { within: FRESH } : {});

  function frame(ctx: Context, me: SignedIn, told: Pick<AccountFrame, 'done' | 'error' | 'again'> = {}): AccountFrame {
    const { email, name } = me.person;
    return { person: { email, name }, action: path, csrf: csrf.token(ctx, path, boundTo(me)), ...told };
  }

  return {
    path,

    async show(ctx: Context): Promise<void> {
      const me = await owner(ctx);
      if (!me) return sendOn(ctx, signInAddress());
      const done = ctx.query['done'];
      await page.show(ctx, me, frame(ctx, me, typeof done === 'string' ? { done } : {}));
    },

    async submit(ctx: Context): Promise<void> {
      const form = await readForm(ctx);
      const to = await clicks(form, () => take(ctx, form));
      if (to !== undefined) sendOn(ctx, to);
    },
  };

  /** Gives where to go; undefined where it has answered. */
  async function take(ctx: Context, form: Form): Promise<string | undefined> {
    const me = await owner(ctx);
    if (!me) {
      const to = await page.ended?.(form);
      if (to !== undefined) return pathOf(to);
      sendOn(ctx, signInAddress());
      return undefined;
    }
    csrf.check(ctx, form, path, boundTo(me), path);
    const { decisions = {} } = page;
    const word = form['decision'] ?? '';
    const decide = Object.hasOwn(decisions, word) ? decisions[word] : undefined;
    const outcome = decide ? await decide(ctx, me, form) : { to: page.name };
    if (!outcome) return undefined;
    if ('to' in outcome) return pathOf(outcome.to) + (outcome.done ? `?done=${outcome.done}` : '');
    const { error, again } = outcome;
    await page.show(ctx, me, frame(ctx, me, { error, again }), form);
    ctx.status = outcome.status ?? (again === undefined ? 400 : 429);
    if (again !== undefined) ctx.set('Retry-After', String(again));
    return undefined;
  }
}
