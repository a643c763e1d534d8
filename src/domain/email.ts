import { domainToASCII, domainToUnicode } from 'node:url';
import { Refusal } from '../lib/index.ts';
import { plainly } from './names.ts';

/** One `@`, nothing invisible, no quoting, no dot at the edge of either side (RFC 5321 §4.1.2, without its curiosities). */
const FORM = /^(?!\.)(?!.*\.\.)[^\s@\p{C}<>()[\]\\,;:"]{1,64}(?<!\.)@(?!\.)[^\s@\p{C}<>()[\]\\,;:"]{1,189}(?<!\.)$/u;

/** The address as compared: two spellings of one address have one key. Of any text, valid or not. */
export function emailKey(text: string): string {
  const email = plainly(text).trim();
  const at = email.lastIndexOf('@') + 1;
  return at === 0 || !email.includes('xn--', at) ? email : email.slice(0, at) + inLetters(email.slice(at));
}

/** A domain in the letters that people write (RFC 5891 §4.4): some browsers send it encoded, some do not. */
function inLetters(domain: string): string {
  const letters = plainly(domainToUnicode(domain)).trim();
  // Not all that is decoded was a domain: what would not come back the same is another text.
  return domainToASCII(letters) === domain ? letters : domain;
}

/** The address as kept, and its key. @throws Refusal `email_invalid` */
export function parseEmail(text: string): { email: string; key: string } {
  const email = text.trim();
  const key = emailKey(email);
  if (email.length > 254 || !FORM.test(email) || !FORM.test(key))
    throw new Refusal('email_invalid', `${JSON.stringify(email.slice(0, 80))} is not an e-mail address`);
  return { email, key };
}
