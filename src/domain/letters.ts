import type { Duration } from '../lib/index.ts';
import type { LinkPurpose, Put } from '../store/index.ts';
import { type Locale, matchLocale } from '../words/index.ts';
import type { Deliveries } from './deliveries.ts';

/** Every mail there is; what each says is in the message files, `mail.<name>.…`. */
export type LetterName =
  | 'sign-up'
  | 'already-signed-up'
  | 'invitation'
  | 'reset-password'
  | 'password-link'
  | 'password-changed'
  | 'verify-email'
  | 'change-email'
  | 'change-email-asked'
  | 'email-changed'
  | 'email-code'
  | 'factor-added'
  | 'factor-removed'
  | 'recovery-code-used'
  | 'identity-linked'
  | 'identity-unlinked';

/** A mail to be written: who to, in which language, and what only this one says. */
export interface Letter {
  readonly name: LetterName;
  readonly to: string;
  readonly locale: Locale;
  /** Where its button leads. */
  readonly link?: string;
  readonly code?: string;
  /** How long link or code are good for. */
  readonly goodFor?: Duration;
}

export type Letters = ReturnType<typeof createLetters>;

/** The page that takes the links of a purpose. */
const PAGES: Readonly<Partial<Record<LinkPurpose, string>>> = {
  'sign-up': '/account/join',
  invitation: '/account/welcome',
  'reset-password': '/account/reset',
  'verify-email': '/account/verify-email',
  'change-email': '/account/change-email',
  setup: '/setup',
};

/** The language of mails to a person who is known to read `locale`; else the one they are reading now, else English. */
export const localeOf = (locale: string | undefined, now: Locale = 'en'): Locale => matchLocale([locale ?? '']) ?? now;

/** Mails as the domain knows them: enqueued in the commit that gives the reason, written and sent by mail/. */
export function createLetters({ issuer, deliveries }: { readonly issuer: string; readonly deliveries: Deliveries }) {
  return {
    /** The address of the page that takes a link, in the language of the mail it is in. */
    linkTo: (purpose: LinkPurpose, secret: string, locale?: Locale): string =>
      `${issuer}${PAGES[purpose]}?token=${secret}${locale ? `&ui_locales=${locale}` : ''}`,

    /** The address of a page without a secret. */
    pageAt: (path: string): string => `${issuer}${path}`,

    /** The change that sends it. */
    send(letter: Letter, accountId?: string): Put<'deliveries'> {
      return deliveries.enqueue('mail', letter, { accountId, ...(letter.goodFor && { goodFor: letter.goodFor }) });
    },
  };
}
