import type { Context } from 'koa';
import { type Form, formOf, readForm, sendOn } from '../http/index.ts';
import { Refusal } from '../lib/index.ts';
import type { AccountRoom, Page } from './context.ts';
import { GONE } from './link-form.ts';
import { passwordError } from './password-errors.ts';
import { trailOf } from './trail.ts';

const PATH = '/setup';

/** The first start: whoever has the printed link makes the account of the first operator. */
export function setupPages({ domain, pages, csrf }: AccountRoom): readonly Page[] {
  async function ask(ctx: Context, token: string, form: Form = {}, refusal?: Refusal): Promise<void> {
    await domain.setup.read(token);
    const wrongAddress = refusal?.code === 'email_invalid';
    const { error, status } = wrongAddress ? { error: 'email' as const, status: 400 } : passwordError(refusal);
    const { email = '', name = '' } = form;
    const minimum = await domain.accounts.minimumFor();
    pages.show(ctx, 'setup', { action: PATH, csrf: csrf.token(ctx, PATH), token, email, name, minimum, error }, status);
  }

  /** A link that is over makes nobody an operator, whoever has it. */
  async function whileItLasts(ctx: Context, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof Refusal) || !GONE.has(error.code)) throw error;
      pages.show(ctx, 'link-gone', { what: 'setup', again: '/account' }, 410);
    }
  }

  return [
    {
      path: PATH,

      show: (ctx) =>
        whileItLasts(ctx, () => {
          trailOf(ctx);
          const { token } = ctx.query;
          return ask(ctx, typeof token === 'string' ? token : '');
        }),

      async submit(ctx) {
        const form = await readForm(ctx);
        csrf.check(ctx, form);
        const { token = '', email = '', name = '', password = '' } = form;
        await whileItLasts(ctx, async () => {
          try {
            const operator = {
              email,
              password,
              locale: pages.localeOf(ctx),
              ...(name.trim() && { name: name.trim() }),
            };
            await domain.setup.complete(token, operator, formOf(form));
          } catch (error) {
            if (!(error instanceof Refusal)) throw error;
            if (!GONE.has(error.code)) return ask(ctx, token, form, error);
            // The second of two clicks goes on as the first one.
            if (!(await domain.links.usedBy('setup', token, formOf(form)))) throw error;
          }
          sendOn(ctx, '/account');
        });
      },
    },
  ];
}
