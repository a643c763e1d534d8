import type { IncomingMessage } from 'node:http';
import type { Form } from './way.ts';

const LONGEST = 4096;

/** Headers by which a request asks for more than the plain answer: DPoP, another encoding. */
const MEANS_MORE = [
  'dpop',
  'oauth-client-attestation',
  'oauth-client-attestation-pop',
  'content-encoding',
  'transfer-encoding',
  'expect',
];

const FORM = /^application\/x-www-form-urlencoded(?:; ?charset=utf-8)?$/i;

/** The length of its form where a request may be the plainest there is, else undefined. */
export function plainLength({ method, headers }: IncomingMessage): number | undefined {
  if (method !== 'POST' || !FORM.test(headers['content-type'] ?? '')) return undefined;
  for (const name of MEANS_MORE) if (name in headers) return undefined;
  const length = headers['content-length'] ?? '';
  return /^[1-9]\d{0,3}$/.test(length) && Number(length) <= LONGEST ? Number(length) : undefined;
}

const PRINTABLE = /^[!-~]*$/;

/** What is in a form where there is nothing odd about it: no parameter twice, none empty, nothing that is not ASCII. */
export function readPlainForm(body: string): Form | undefined {
  if (!PRINTABLE.test(body)) return undefined;
  const form: Record<string, string> = Object.create(null);
  for (const pair of body.split('&')) {
    const at = pair.indexOf('=');
    const [name, value] = [decoded(pair.slice(0, at)), decoded(pair.slice(at + 1))];
    if (at < 1 || !name || !value || name in form) return undefined;
    form[name] = value;
  }
  return form;
}

/** As forms write it; undefined where that means nothing. Most is written as it is: a token has a thousand characters. */
function decoded(text: string): string | undefined {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
