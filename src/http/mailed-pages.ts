/** What a page passes on to the next: hidden fields of forms, parameters of links. */
export interface Trail {
  /** The sign-in that was interrupted. */
  readonly interaction?: string | undefined;
  readonly ui_locales?: string | undefined;
}

/** What a form has in common with every other. */
interface FormShown {
  readonly action: string;
  readonly csrf: string;
  readonly trail: Trail;
}

/** A form whose answer is a mail. */
interface MailForm extends FormShown {
  /** As typed before. */
  readonly email: string;
  /** The way back; absent where there is no sign-in to go back to. */
  readonly back?: string | undefined;
  /** `tooMany` is the wait in minutes. */
  readonly error?: 'invalid' | { readonly tooMany: number } | undefined;
}

/** A form that a mailed link leads to. */
interface LinkForm extends FormShown {
  readonly token: string;
  /** The address that the link has proven. */
  readonly email: string;
}

export type PasswordError = 'tooShort' | 'tooLong' | 'common' | 'personal' | 'busy';

interface NewPasswordForm extends LinkForm {
  /** The fewest characters. */
  readonly minimum: number;
  readonly error?: PasswordError | 'name' | undefined;
}

export type LinkPage = 'reset' | 'join' | 'welcome' | 'verify-email' | 'change-email';

/** The pages that ask for a mail, and those that mailed links lead to. */
export interface MailedPages {
  readonly forgot: MailForm;
  readonly 'sign-up': MailForm;
  /** Whoever has the address, the page is this. */
  readonly 'mail-sent': {
    readonly what: 'forgot' | 'sign-up';
    readonly email: string;
    /** The form once more. */
    readonly again: string;
    readonly back?: string | undefined;
  };
  readonly reset: NewPasswordForm;
  readonly join: NewPasswordForm & { readonly name: string };
  /** The first operator's account; `email` is as typed before. */
  readonly setup: Omit<NewPasswordForm, 'trail' | 'error'> & {
    readonly name: string;
    readonly error?: NewPasswordForm['error'] | 'email';
  };
  readonly confirm: LinkForm & { readonly what: 'verify-email' | 'change-email' };
  readonly done: {
    readonly what: 'reset' | 'join' | 'verify-email' | 'change-email';
    /** The sign-in to go on with, or the person's account. */
    readonly back: string;
    /** It is a sign-in: neither over nor another browser's. */
    readonly interrupted: boolean;
  };
  readonly 'link-gone': {
    readonly what: LinkPage | 'setup';
    /** Where a new one can be asked for, or the account be found as it is. */
    readonly again: string;
  };
}
