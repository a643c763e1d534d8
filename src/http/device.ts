import { days } from '../lib/index.ts';
import { browserCookie } from './cookies.ts';

/** Close to the longest that browsers keep a cookie. */
const LIFETIME = days(365);

export type Device = ReturnType<typeof createDevice>;

/**
 * Names a browser (OWASP "device cookies"): guesses from a browser that has signed in to an account before are counted
 * by themselves, so that strangers who guess at it cannot lock its owner out. Which accounts it has signed in to the domain
 * knows.
 */
export const createDevice = ({ issuer }: { readonly issuer: string }) => browserCookie(issuer, 'device', LIFETIME);
