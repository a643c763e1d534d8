import type { Context } from 'koa';
import type { Settings } from '../../config/index.ts';
import type { Domain } from '../../domain/index.ts';
import { OPERATORS_CALLBACK, type OwnSessions, type SignedIn } from '../../engine/index.ts';
import {
  type Csrf,
  type GuardedPage,
  guardedPage,
  HttpRefusal,
  type Outcome,
  type Pages,
  sendOn,
} from '../../http/index.ts';
import { type Clock, hours, minutes, Refusal, type SealingKey } from '../../lib/index.ts';

/** What the pages of operators are given. */
export interface OperatorRoom {
  readonly settings: Pick<Settings, 'smtp_url'>;
  readonly domain: Domain;
  readonly ownSessions: OwnSessions;
  readonly pages: Pages;
  readonly csrf: Csrf;
  readonly now: Clock;
  /** Seals what operators look for, where it stands in an address. */
  readonly searchKey: SealingKey;
}

/** One page of the operators'; what is refused in a decision of it is told at its form. */
export type OperatorPage = GuardedPage<SignedIn>;

/** How lately whoever sees a page must have proven who they are. */
const SHOWN = hours(1);
/** A form is taken a little longer, so that nothing is lost that was being typed. */
const TAKEN = SHOWN + minutes(15);
/** What may follow the path of a page that somebody comes back to. */
const LONGEST_QUERY = 1000;

/** Lets whoever is an operator at this moment in to a page, and nobody else. */
export function operatorPage({ domain, ownSessions, pages, csrf, now }: OperatorRoom, page: OperatorPage) {
  async function admit(ctx: Context, sent: boolean): Promise<SignedIn | undefined> {
    const me = await ownSessions.current(ctx);
    const search = sent || ctx.search.length > LONGEST_QUERY ? '' : ctx.search;
    const address = (choose: boolean) =>
      ownSessions.signInAddress(ctx.path + search, { within: SHOWN, back: OPERATORS_CALLBACK, choose });
    if (!me || now() - me.since >= (sent ? TAKEN : SHOWN)) return void sendOn(ctx, address(false));
    if (me.person.admin) return me;
    return void pages.show(ctx, 'admin-refused', { person: { email: me.person.email }, other: address(true) }, 403);
  }

  const decisions = Object.entries(page.decisions ?? {}).map(([word, decide]) => [
    word,
    async (...[ctx, me, form]: Parameters<typeof decide>): Promise<Outcome> => {
      try {
        return await domain.audit.actingAs({ by: me.person.id }, () => decide(ctx, me, form));
      } catch (error) {
        if (!(error instanceof Refusal) || error instanceof HttpRefusal) throw error;
        return { error: error.code, detail: error.message, ...(error.code === 'last_operator' && { status: 409 }) };
      }
    },
  ]);

  return guardedPage(
    { room: 'admin', csrf, pages, sentForms: domain.sentForms, admit },
    { ...page, decisions: Object.fromEntries(decisions) },
  );
}
