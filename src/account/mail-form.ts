import type { Context } from 'koa';
import { readForm, stateOf, type Trail } from '../http/index.ts';
import { Refusal } from '../lib/index.ts';
import type { AccountRoom, Page } from './context.ts';
import { along, signInOf, trailOf } from './trail.ts';

type Name = 'forgot' | 'sign-up';

/** What each form asks the domain for. */
const WANTED = { forgot: 'reset-password', 'sign-up': 'sign-up' } as const;

/**
 * A form for an e-mail address, answered by a mail. The page that follows is the same, and took the same work, whoever has
 * the address: that is told in the mail alone.
 */
export function mailForm(room: AccountRoom, name: Name): Page {
  const { domain, pages, csrf, device } = room;
  const path = `/account/${name}`;

  type Failure = { readonly error: 'invalid' | { readonly tooMany: number }; readonly status: number };

  function ask(ctx: Context, trail: Trail, email = '', failure?: Failure): void {
    const data = {
      action: path,
      csrf: csrf.token(ctx, path),
      email,
      trail,
      back: signInOf(trail),
      error: failure?.error,
    };
    pages.show(ctx, name, data, failure?.status);
  }

  /** What is wrong, where something is. */
  async function request(ctx: Context, trail: Trail, email: string): Promise<Failure | undefined> {
    const origin = { interaction: trail.interaction, device: device.id(ctx) };
    try {
      const wait = await domain.mailRequests.ask(
        { wanted: WANTED[name], email, locale: pages.localeOf(ctx), origin },
        stateOf(ctx).address ?? '',
      );
      if (wait === undefined) return undefined;
      ctx.set('Retry-After', String(wait));
      return { error: { tooMany: Math.ceil(wait / 60) }, status: 429 };
    } catch (error) {
      if (error instanceof Refusal && error.code === 'email_invalid') return { error: 'invalid', status: 400 };
      throw error;
    }
  }

  return {
    path,
    show: async (ctx) => ask(ctx, trailOf(ctx)),

    async submit(ctx) {
      const form = await readForm(ctx);
      const trail = trailOf(ctx, form);
      csrf.check(ctx, form, path, undefined, along(path, trail));
      const email = form['email']?.trim() ?? '';
      const failure = await request(ctx, trail, email);
      if (failure) return ask(ctx, trail, email, failure);
      pages.show(ctx, 'mail-sent', { what: name, email, again: along(path, trail), back: signInOf(trail) });
    },
  };
}
