import type { IncomingMessage } from 'node:http';
import { readPlainForm } from './request.ts';

/** What a browser asks for at `/authorize` (RFC 6749 §4.1.1) in the plainest way there is. */
export interface Wanted {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly resource?: string | undefined;
  readonly codeChallenge: string;
  readonly state?: string | undefined;
  readonly nonce?: string | undefined;
  /** Nobody may be asked anything (OIDC Core §3.1.2.1): applications in a browser renew by it. */
  readonly prompt?: 'none' | undefined;
}

const LONGEST = 4096;
const PATH = '/authorize?';

/** A fragment is no part of a request, and is cut off by whoever reads one that has it. */
const NO_FRAGMENT = /^[^#]*$/;
/** Headers by which more is meant than a page to go to. */
const MEANS_MORE = ['content-length', 'transfer-encoding', 'expect', 'upgrade', 'dpop'];

const KNOWN = new Set([
  ...['client_id', 'redirect_uri', 'response_type', 'scope', 'resource'],
  ...['code_challenge', 'code_challenge_method', 'state', 'nonce', 'prompt'],
]);

/** RFC 7636 §4.2. */
const CHALLENGE = /^[\w.~-]{43,128}$/;
/** RFC 6749 appendix A.4. */
const SCOPE = /^[!#-[\]-~]+(?: [!#-[\]-~]+)*$/;
const TEXT = /^[ -~]*$/;

/** Undefined where a request is not of the plainest. */
export function readWanted({ method, url = '', headers }: IncomingMessage): Wanted | undefined {
  if (method !== 'GET' || !url.startsWith(PATH) || url.length > LONGEST || !NO_FRAGMENT.test(url)) return undefined;
  for (const name of MEANS_MORE) if (name in headers) return undefined;
  if (!takesHtml(headers.accept)) return undefined;
  const form = readPlainForm(url.slice(PATH.length));
  if (!form) return undefined;
  for (const name in form) if (!KNOWN.has(name)) return undefined;
  const { client_id, redirect_uri, response_type, scope, resource, code_challenge, state, nonce, prompt } = form;
  if (response_type !== 'code' || form['code_challenge_method'] !== 'S256') return undefined;
  if (prompt !== undefined && prompt !== 'none') return undefined;
  if (!client_id || !redirect_uri || !scope || !code_challenge) return undefined;
  if (!CHALLENGE.test(code_challenge) || !SCOPE.test(scope)) return undefined;
  if (!TEXT.test(`${client_id}${redirect_uri}${resource ?? ''}${state ?? ''}${nonce ?? ''}`)) return undefined;
  const scopes = [...new Set(scope.split(' '))];
  // Without it there is no ID token for a nonce to be in; offline access without a question is the engine's to leave out.
  if (!scopes.includes('openid') || scopes.includes('offline_access')) return undefined;
  return {
    clientId: client_id,
    redirectUri: redirect_uri,
    scopes,
    resource,
    codeChallenge: code_challenge,
    state,
    nonce,
    prompt,
  };
}

/** Whether the line that a redirect is sent with may be HTML. */
const takesHtml = (accept: string | undefined): boolean =>
  accept === undefined || accept === '*/*' || accept === 'text/html' || /^text\/html,(?!.*text\/html)/.test(accept);
