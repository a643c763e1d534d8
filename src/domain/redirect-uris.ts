import { isLoopback } from '../config/index.ts';
import { Refusal } from '../lib/index.ts';
import type { ClientType } from '../store/index.ts';

/** RFC 3986's characters but `*`, which only people who want a wildcard write. */
const CHARACTERS = /^[\w\-.~:/?[\]@!$&'()+,;=%]+$/;
const MOST = 50;

/**
 * Addresses a browser may be sent back to; compared character by character later, so each must be in its plain form.
 * @throws Refusal `redirect_uri_invalid`, or what is said instead, naming the address and the rule
 */
export function parseRedirectUris(
  type: ClientType,
  uris: readonly string[],
  code: 'redirect_uri_invalid' | 'post_logout_redirect_uri_invalid' = 'redirect_uri_invalid',
): string[] {
  for (const uri of uris) {
    const fault = faultOf(type, uri);
    if (fault) throw new Refusal(code, `${JSON.stringify(uri.slice(0, 200))} ${fault}`);
  }
  if (uris.length > MOST) throw new Refusal(code, `more than ${MOST} redirect URIs`);
  return [...new Set(uris)];
}

/** Why an address is none that a server of ours may ask, in words that follow it; undefined where it is one. */
export const faultOfWebUri = (uri: string): string | undefined => faultOf('web', uri);

function faultOf(type: ClientType, uri: string): string | undefined {
  if (uri.includes('*')) return 'must be one address: there are no wildcards';
  if (uri.includes('#')) return 'must have no fragment (RFC 6749 §3.1.2)';
  if (uri.length > 2000) return 'is longer than 2,000 characters';
  const url = URL.parse(uri);
  if (!url || !CHARACTERS.test(uri)) return 'must be an absolute URI such as https://app.example.com/callback';
  if (url.username || url.password || uri.split(/[/?]/, 4)[2]?.includes('@')) return 'must have no user name';
  if (url.protocol === 'http:' || url.protocol === 'https:') return faultOfWeb(url, uri);
  if (type !== 'native') return 'must be https, or http on a loopback address';
  // RFC 8252 §7.1: a scheme is private by being a domain name turned round.
  if (!url.protocol.includes('.') || !uri.slice(url.protocol.length).startsWith('/'))
    return 'must use https, http on a loopback address, or a scheme of its own with a dot: com.example.app:/callback';
  if (url.href !== uri) return `must be written as ${url.href}`;
  return undefined;
}

function faultOfWeb(url: URL, uri: string): string | undefined {
  if (url.protocol === 'http:' && !isLoopback(url)) return 'must be https: plain http is for loopback addresses only';
  if (url.href !== uri && url.href !== `${uri}/`) return `must be written as ${url.href}`;
  return undefined;
}
