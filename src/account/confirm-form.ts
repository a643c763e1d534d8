import type { Link } from '../domain/index.ts';
import type { Locale } from '../words/index.ts';
import type { AccountRoom, Page } from './context.ts';
import { linkForm } from './link-form.ts';

/** A link that only has to be confirmed: one button. */
export function confirmForm(
  room: AccountRoom,
  name: 'verify-email' | 'change-email',
  again: string,
  act: (token: string, locale: Locale, form: string) => Promise<Link>,
): readonly Page[] {
  return linkForm(room, {
    name,
    purpose: name,
    done: name,
    again,
    act: (ctx, token, _fields, form) => act(token, room.pages.localeOf(ctx), form),

    async ask(ctx, form, _link, sent) {
      if (sent) throw sent.refusal;
      room.pages.show(ctx, 'confirm', { ...form, what: name });
    },
  });
}
