import type { AccountRoom, Page } from './context.ts';
import { mailForm } from './mail-form.ts';

/** Somebody wants an account: there is none before they have shown that they read the address. */
export const signUpPages = (room: AccountRoom): readonly Page[] =>
  room.settings.sign_up === 'open' ? [mailForm(room, 'sign-up')] : [];
