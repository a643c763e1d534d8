import type { AccountRoom, Page } from './context.ts';
import { linkForm } from './link-form.ts';
import { passwordError } from './password-errors.ts';

/** A new password for somebody who forgot the old one. Signing in comes after it, with every factor they have. */
export function resetPages(room: AccountRoom): readonly Page[] {
  const { domain, pages } = room;
  return linkForm(room, {
    name: 'reset',
    purpose: 'reset-password',
    done: 'reset',
    again: '/account/forgot',

    async ask(ctx, form, { accountId }, sent) {
      const { error, status } = passwordError(sent?.refusal);
      const minimum = await domain.accounts.minimumFor(accountId);
      pages.show(ctx, 'reset', { ...form, minimum, error }, status);
    },

    act: async (ctx, token, { password = '' }, form) =>
      (await domain.recovery.resetPassword(token, password, pages.localeOf(ctx), form)).link,
  });
}
