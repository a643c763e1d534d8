import { browserCookie } from './cookies.ts';

export type BrowserMark = ReturnType<typeof createBrowserMark>;

/**
 * Marks the browser in which somebody is signing in, or leaves for an upstream, until it is closed: what was begun there goes
 * on there alone. Whoever keeps marks keeps a digest.
 */
export const createBrowserMark = ({ issuer }: { readonly issuer: string }) => browserCookie(issuer, 'browser');
