import type { AccountRoom, Page } from './context.ts';
import { mailForm } from './mail-form.ts';

/** Somebody has forgotten their password. */
export const forgotPages = (room: AccountRoom): readonly Page[] => [mailForm(room, 'forgot')];
