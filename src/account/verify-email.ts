import { confirmForm } from './confirm-form.ts';
import type { AccountRoom, Page } from './context.ts';

/** Somebody shows that they read the address of their account. */
export const verifyEmailPages = (room: AccountRoom): readonly Page[] =>
  confirmForm(room, 'verify-email', '/account/profile', (token, _locale, form) =>
    room.domain.recovery.verifyEmail(token, form),
  );
