import type { AccountRoom, Page } from './context.ts';
import { linkForm } from './link-form.ts';
import { passwordError } from './password-errors.ts';

/** Somebody who signed up has shown that they read the address, and makes their account. */
export const joinPages = (room: AccountRoom): readonly Page[] =>
  room.settings.sign_up === 'open' ? joining(room, 'join', 'sign-up', '/account/sign-up') : [];

/** Somebody who was invited opens the account that was made for them. */
export const welcomePages = (room: AccountRoom): readonly Page[] => joining(room, 'welcome', 'invitation', '/account');

function joining(
  room: AccountRoom,
  name: 'join' | 'welcome',
  purpose: 'sign-up' | 'invitation',
  again: string,
): readonly Page[] {
  const { domain, pages } = room;
  return linkForm(room, {
    name,
    purpose,
    done: 'join',
    again,

    async ask(ctx, form, { accountId }, sent) {
      const { error, status } = passwordError(sent?.refusal);
      const known = accountId === undefined ? undefined : await domain.accounts.get(accountId);
      const minimum = await domain.accounts.minimumFor(accountId);
      pages.show(ctx, 'join', { ...form, name: sent?.form['name'] ?? known?.name ?? '', minimum, error }, status);
    },

    async act(ctx, token, { name: text = '', password = '' }, form) {
      const own = { password, locale: pages.localeOf(ctx), ...(text.trim() && { name: text.trim() }) };
      return (await domain.joins.join(purpose, token, own, form)).link;
    },
  });
}
