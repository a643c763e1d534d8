import type { PasswordError } from '../http/index.ts';
import type { Refusal } from '../lib/index.ts';

const ERRORS: Readonly<Record<string, PasswordError | 'name'>> = {
  password_too_short: 'tooShort',
  password_too_long: 'tooLong',
  password_common: 'common',
  password_personal: 'personal',
  name_invalid: 'name',
  busy: 'busy',
};

/**
 * What is told of a refused password or name, and the status to tell it with; neither where nothing was refused.
 * @throws the refusal where it is of another kind
 */
export function passwordError(refusal: Refusal): { readonly error: PasswordError | 'name'; readonly status: number };
export function passwordError(refusal: Refusal | undefined): {
  readonly error?: PasswordError | 'name';
  readonly status?: number;
};
export function passwordError(refusal: Refusal | undefined): {
  readonly error?: PasswordError | 'name';
  readonly status?: number;
} {
  if (!refusal) return {};
  const error = ERRORS[refusal.code];
  if (!error) throw refusal;
  return { error, status: error === 'busy' ? 503 : 400 };
}
