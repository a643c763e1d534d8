import type { Context } from 'koa';
import { browserOf, type Link, type LinkPurpose } from '../domain/index.ts';
import { type Form, formOf, type LinkPage, readForm, sendOn, type Trail } from '../http/index.ts';
import { Refusal } from '../lib/index.ts';
import type { AccountRoom, Page } from './context.ts';
import { along, signInOf, trailOf } from './trail.ts';

/** What every such form shows. */
interface Shown {
  readonly action: string;
  readonly csrf: string;
  readonly trail: Trail;
  readonly token: string;
  /** The address that the link has proven. */
  readonly email: string;
}

/** What a form that a mailed link leads to consists of. */
interface LinkForm {
  readonly name: LinkPage;
  readonly purpose: LinkPurpose;
  /** Which words tell that it is done. */
  readonly done: 'reset' | 'join' | 'verify-email' | 'change-email';
  /** Where a new link can be asked for, or the account be found as it is. */
  readonly again: string;
  /** Shows the form: as it is at first, or with what was sent and why that was refused. */
  ask(ctx: Context, form: Shown, link: Link, sent?: { readonly form: Form; readonly refusal: Refusal }): Promise<void>;
  /**
   * Does what the link is good for.
   * @param form tells it from every other form
   * @throws Refusal, `link_gone` among others
   */
  act(ctx: Context, token: string, fields: Form, form: string): Promise<Link>;
}

/** Refusals that say the link is good for nothing any more, in one way or another. */
export const GONE: ReadonlySet<string> = new Set(['link_gone', 'email_taken', 'user_unknown']);

/** The pages of a mailed link: GET shows what it is good for and changes nothing, POST does it, and it is told that it is done. */
export function linkForm(room: AccountRoom, { name, purpose, done, again, ask, act }: LinkForm): readonly Page[] {
  const { domain, interactions, pages, csrf, device } = room;
  const path = `/account/${name}`;

  /** Whoever comes with a link that is over is told how to get another. */
  async function whileItLasts(ctx: Context, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof Refusal) || !GONE.has(error.code)) throw error;
      pages.show(ctx, 'link-gone', { what: name, again }, 410);
    }
  }

  async function form(ctx: Context, token: string, trail: Trail, sent?: Parameters<typeof ask>[3]): Promise<void> {
    const link = await domain.links.read(purpose, token);
    const shown = { action: path, csrf: csrf.token(ctx, path), trail, token, email: link.email ?? '' };
    await ask(ctx, shown, link, sent);
  }

  /** Where the person goes on, if that is this browser's and not over. */
  async function onwards(ctx: Context, { ui_locales }: Trail, { interaction, browser }: Link): Promise<string> {
    const here = interaction !== undefined && browser === browserOf(device.id(ctx));
    const pending = here && (await interactions.isPending(interaction));
    return along(`${path}/done`, { ui_locales, ...(pending && { interaction }) });
  }

  return [
    {
      path,

      show: (ctx) =>
        whileItLasts(ctx, async () => {
          const { token } = ctx.query;
          await form(ctx, typeof token === 'string' ? token : '', trailOf(ctx));
        }),

      async submit(ctx) {
        const fields = await readForm(ctx);
        const trail = trailOf(ctx, fields);
        csrf.check(ctx, fields);
        const token = fields['token'] ?? '';
        await whileItLasts(ctx, async () => {
          try {
            sendOn(ctx, await onwards(ctx, trail, await act(ctx, token, fields, formOf(fields))));
          } catch (error) {
            if (!(error instanceof Refusal)) throw error;
            if (!GONE.has(error.code)) return form(ctx, token, trail, { form: fields, refusal: error });
            // The second of two clicks is answered as the first one was, for whose answer the browser did not wait.
            const used = await domain.links.usedBy(purpose, token, formOf(fields));
            if (!used) throw error;
            sendOn(ctx, await onwards(ctx, trail, used));
          }
        });
      },
    },
    {
      path: `${path}/done`,
      async show(ctx) {
        const back = signInOf(trailOf(ctx));
        pages.show(ctx, 'done', { what: done, back: back ?? '/account', interrupted: back !== undefined });
      },
    },
  ];
}
