import type { Context } from 'koa';
import { createClicks } from './clicks.ts';
import type { Csrf } from './csrf.ts';
import { type Form, LIST_FORM_LIMITS, readForm } from './forms.ts';
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
 * page once more; `{ once }` is an answer that nobody is given again, such as a secret; nothing where it was answered.
 */
export type Outcome =
  | { readonly to: string; readonly done?: string }
  | { readonly error: string; readonly detail?: string; readonly status?: number; readonly again?: number }
  | { readonly once: (ctx: Context) => void }
  | undefined;

/** One page. Its path is `/<room>/<name>`, or `/<room>` for ''; a part of the name with a colon stands for any one part. */
export interface GuardedPage<Me extends Someone> {
  readonly name: string;
  /** @param form what was sent, where the page is shown once more because of it */
  show(ctx: Context, me: Me, frame: GuardedFrame, form?: Form): Promise<void>;
  /** What each button does, by the `decision` it sends. */
  readonly decisions?: Readonly<Record<string, (ctx: Context, me: Me, form: Form) => Promise<Outcome>>>;
  /** Where a form leads that a moment ago ended the session it came from, through whichever process; undefined for any other. */
  ended?(form: Form): Promise<string | undefined>;
}

interface Guard<Me extends Someone> {
  readonly room: 'account' | 'admin';
  readonly csrf: Csrf;
  /**
   * Whoever may see the page, or send its form; undefined where it has answered instead.
   * @param sent it is the form that came
   */
  admit(ctx: Context, sent: boolean): Promise<Me | undefined>;
}

/** A page that its guard lets people in to; a form of it counts only for whom it was shown to, and in the session it was shown in. */
export function guardedPage<Me extends Someone>({ room, csrf, admit }: Guard<Me>, page: GuardedPage<Me>) {
  const clicks = createClicks<string | ((ctx: Context) => void)>();
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
      const next = await clicks(form, () => take(ctx, form));
      if (typeof next === 'string') return sendOn(ctx, next);
      // Of two clicks both are shown it, since a browser shows what the second was answered; nobody else is.
      if (next && (await sender(ctx, form))) next(ctx);
    },
  };

  /** Gives where to go, or the answer; undefined where it has answered. */
  async function take(ctx: Context, form: Form): Promise<string | ((ctx: Context) => void) | undefined> {
    const me = await sender(ctx, form);
    if (!me) {
      const to = await page.ended?.(form);
      return to === undefined ? undefined : pathOf(to);
    }
    const { decisions = {} } = page;
    const word = form['decision'] ?? '';
    const decide = Object.hasOwn(decisions, word) ? decisions[word] : undefined;
    if (!decide) return here(ctx);
    const outcome = await decide(ctx, me, form);
    if (!outcome) return undefined;
    if ('once' in outcome) return outcome.once;
    if ('to' in outcome) return pathOf(outcome.to) + (outcome.done ? `?done=${outcome.done}` : '');
    const { error, detail, again } = outcome;
    await page.show(ctx, me, frame(ctx, me, { error, detail, again }), form);
    // What is not there any more stays not found.
    if (ctx.status < 400) ctx.status = outcome.status ?? (again === undefined ? 400 : 429);
    if (again !== undefined) ctx.set('Retry-After', String(again));
    return undefined;
  }
}
