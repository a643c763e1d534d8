import type { Context } from 'koa';
import type { Led, SentForms } from '../domain/index.ts';
import type { Csrf } from './csrf.ts';
import { type Form, formOf, LIST_FORM_LIMITS, readForm } from './forms.ts';
import type { PageData, Pages } from './pages.ts';
import { sendOn } from './send-on.ts';

/** Somebody who is signed in on the browser that asks. */
interface Someone {
  readonly person: { readonly id: string; readonly email: string; readonly name?: string | undefined };
  readonly sessionId: string;
}

/** What pages that not everybody may see have in common. */
export interface GuardedFrame {
  readonly person: { readonly email: string; readonly name?: string | undefined };
  /** Where the forms of the page go. */
  readonly action: string;
  readonly csrf: string;
  /** What was just done, or why it was not; keys of messages. */
  readonly done?: string | undefined;
  readonly error?: string | undefined;
  /** The rule that refused, in English, where it says more than `error` does. */
  readonly detail?: string | undefined;
  /** In how many seconds it may be tried again. */
  readonly again?: number | undefined;
}

/**
 * Where the person goes next: a page of the same room by its name, with the word for what was done; `{ error }` shows this
 * page once more; `{ once }` is what nobody is shown again, such as a secret; nothing where it
 * was answered.
 */
export type Outcome =
  | { readonly to: string; readonly done?: string }
  | { readonly error: string; readonly detail?: string; readonly status?: number; readonly again?: number }
  | { readonly once: Once }
  | undefined;

type Once = PageData['admin-once'];

/** One page. Its path is `/<room>/<name>`, or `/<room>` for ''; a part of the name with a colon stands for any one part. */
export interface GuardedPage<Me extends Someone> {
  readonly name: string;
  /** @param form what was sent, where the page is shown once more because of it */
  show(ctx: Context, me: Me, frame: GuardedFrame, form?: Form): Promise<void>;
  /** What each button does, by the `decision` it sends. */
  readonly decisions?: Readonly<Record<string, (ctx: Context, me: Me, form: Form) => Promise<Outcome>>>;
}

interface Guard<Me extends Someone> {
  readonly room: 'account' | 'admin';
  readonly csrf: Csrf;
  readonly pages: Pages;
  readonly sentForms: SentForms;
  /**
   * Whoever may see the page, or send its form; undefined where it has answered instead.
   * @param sent it is the form that came
   */
  admit(ctx: Context, sent: boolean): Promise<Me | undefined>;
}

/** What is told there, beside what its address may ask for. */
const doneIn = ({ to, done }: { readonly to: string; readonly done?: string }): string =>
  done ? `${to.includes('?') ? '&' : '?'}done=${done}` : '';

/** A page that its guard lets people in to; a form of it counts only for whom it was shown to, and in the session it was shown in. */
export function guardedPage<Me extends Someone>(
  { room, csrf, pages, sentForms, admit }: Guard<Me>,
  page: GuardedPage<Me>,
) {
  const pathOf = (name: string): string => (name === '' ? `/${room}` : `/${room}/${name}`);
  const path = pathOf(page.name);
  const boundTo = ({ sessionId, person }: Me): string => `${room}|${person.id}|${sessionId}`;

  /** The path as it is for this request, however its address was written. */
  const here = (ctx: Context): string =>
    path.replace(/:(\w+)/g, (_, part: string) => encodeURIComponent(ctx['params'][part]));

  function frame(
    ctx: Context,
    me: Me,
    told: Pick<GuardedFrame, 'done' | 'error' | 'detail' | 'again'> = {},
  ): GuardedFrame {
    const { email, name } = me.person;
    const action = here(ctx);
    return { person: { email, name }, action, csrf: csrf.token(ctx, action, boundTo(me)), ...told };
  }

  /** Whoever sent a form that was shown to them. */
  async function sender(ctx: Context, form: Form): Promise<Me | undefined> {
    const me = await admit(ctx, true);
    if (me) csrf.check(ctx, form, here(ctx), boundTo(me), here(ctx));
    return me;
  }

  return {
    path,

    async show(ctx: Context): Promise<void> {
      const me = await admit(ctx, false);
      if (!me) return;
      const done = ctx.query['done'];
      await page.show(ctx, me, frame(ctx, me, typeof done === 'string' ? { done } : {}));
    },

    async submit(ctx: Context): Promise<void> {
      const form = await readForm(ctx, room === 'admin' ? LIST_FORM_LIMITS : undefined);
      const led = (await sentForms.led<Once>(formOf(form))) ?? (await take(ctx, form));
      if (!led) return;
      if (!led.shown) return sendOn(ctx, led.to);
      // Of two clicks both are shown it, since a browser shows what the second was answered; nobody else is.
      if (await sender(ctx, form)) pages.show(ctx, 'admin-once', led.shown);
    },
  };

  /** Gives where to go, or what to show; undefined where it has answered. */
  async function take(ctx: Context, form: Form): Promise<Led<Once> | undefined> {
    const me = await sender(ctx, form);
    // The first of two clicks may just have ended the session that they came from.
    if (!me) return sentForms.led(formOf(form));
    const { decisions = {} } = page;
    const word = form['decision'] ?? '';
    const decide = Object.hasOwn(decisions, word) ? decisions[word] : undefined;
    if (!decide) return { to: here(ctx) };
    return sentForms.once(formOf(form), async () => told(ctx, me, form, await decide(ctx, me, form)));
  }

  async function told(ctx: Context, me: Me, form: Form, outcome: Outcome): Promise<Led<Once> | undefined> {
    if (!outcome) return undefined;
    if ('once' in outcome) return { to: outcome.once.onwards, shown: outcome.once };
    if ('to' in outcome) return { to: pathOf(outcome.to) + doneIn(outcome) };
    const { error, detail, again } = outcome;
    await page.show(ctx, me, frame(ctx, me, { error, detail, again }), form);
    // What is not there any more stays not found.
    if (ctx.status < 400) ctx.status = outcome.status ?? (again === undefined ? 400 : 429);
    if (again !== undefined) ctx.set('Retry-After', String(again));
    return undefined;
  }
}
