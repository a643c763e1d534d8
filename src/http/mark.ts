import { browserCookie } from './cookies.ts';

export type BrowserMark = ReturnType<typeof createBrowserMark>;

/**
 * Marks the browser that leaves for an upstream, or signs in for a device, until it is closed: what comes back is taken
 * from this browser alone. Whoever keeps marks keeps a digest.
 */
export const createBrowserMark = ({ issuer }: { readonly issuer: string }) => browserCookie(issuer, 'upstream');
