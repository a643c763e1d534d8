import { confirmForm } from './confirm-form.ts';
import type { AccountRoom, Page } from './context.ts';

/** Somebody shows that they read the address they want for their account. */
export const changeEmailPages = (room: AccountRoom): readonly Page[] =>
  confirmForm(room, 'change-email', '/account/email', (token, locale, form) =>
    room.domain.recovery.changeEmail(token, locale, form),
  );
