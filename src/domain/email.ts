import { Refusal } from '../lib/index.ts';

/** One `@`, nothing invisible, no quoting, no dot at the edge of either side (RFC 5321 §4.1.2, without its curiosities). */
const FORM = /^(?!\.)(?!.*\.\.)[^\s@\p{C}<>()[\]\\,;:"]{1,64}(?<!\.)@(?!\.)[^\s@\p{C}<>()[\]\\,;:"]{1,189}(?<!\.)$/u;

/** The address as compared: two spellings of one address have one key. Of any text, valid or not. */
export const emailKey = (email: string): string => email.normalize('NFKC').toLowerCase().normalize('NFKC').trim();

/** The address as kept, and its key. @throws Refusal `email_invalid` */
export function parseEmail(text: string): { email: string; key: string } {
  const email = text.trim();
  const key = emailKey(email);
  if (email.length > 254 || !FORM.test(email) || !FORM.test(key))
    throw new Refusal('email_invalid', `${JSON.stringify(email.slice(0, 80))} is not an e-mail address`);
  return { email, key };
}
