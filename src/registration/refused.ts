import { HttpRefusal, type JsonObject } from '../http/index.ts';
import { Refusal } from '../lib/index.ts';

/** Something in what an application says is wrong; the sentence begins with the member's name. */
export class WrongMember extends Refusal {
  readonly member: string;

  constructor(member: string, fault: string) {
    super('metadata_wrong', `${member}: ${fault}`);
    this.member = member;
  }
}

/** The member by which an application said what the domain refuses. */
const MEMBERS: Readonly<Record<string, string>> = {
  name_invalid: 'client_name',
  redirect_uri_invalid: 'redirect_uris',
  redirect_uri_missing: 'redirect_uris',
  post_logout_redirect_uri_invalid: 'post_logout_redirect_uris',
  backchannel_logout_uri_invalid: 'backchannel_logout_uri',
  scope_invalid: 'scope',
  jwks_invalid: 'jwks',
};

/** RFC 7591 §3.2.2. What is no refusal of what was said is somebody else's to tell. */
export function metadataRefused(said: JsonObject, cause: unknown): unknown {
  if (!(cause instanceof Refusal) || cause instanceof HttpRefusal) return cause;
  const member = cause instanceof WrongMember ? cause.member : MEMBERS[cause.code];
  if (member === undefined) return cause;
  const sentence = cause instanceof WrongMember ? cause.message : `${member}: ${cause.message}`;
  return new HttpRefusal(cause.code, ascii(sentence), {
    status: 400,
    error: member === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata',
    rule: sentence,
    asked: inWords(said),
    cause,
  });
}

/** RFC 6750 §3.1; without a token there is nothing to say of it. */
export function unauthorized(issuer: string, token: string | undefined, sentence: string): HttpRefusal {
  const why = token === undefined ? '' : `, error="invalid_token", error_description="${sentence}"`;
  return new HttpRefusal('registration_unauthorized', sentence, {
    status: 401,
    error: 'invalid_token',
    headers: { 'WWW-Authenticate': `Bearer realm="${issuer}"${why}` },
  });
}

/** @param wait in seconds */
export const tooMany = (wait: number): HttpRefusal =>
  new HttpRefusal('too_many_registrations', 'Too much was registered from this network. Please try again later.', {
    status: 429,
    error: 'temporarily_unavailable',
    reason: 'tooMany',
    headers: { 'Retry-After': String(wait) },
  });

const ascii = (text: string): string =>
  text
    .replaceAll('…', '...')
    .replaceAll('’', "'")
    .replaceAll('§', 'section ')
    .replaceAll(/[^\x20-\x7e]/g, '?');

/** What was said, a line for each member: lists of texts as words, whatever else has parts by its kind alone. */
const inWords = (said: JsonObject): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(said).map(([member, value]) => [
      member,
      Array.isArray(value) && value.every((one) => typeof one === 'string')
        ? value.join(' ')
        : typeof value === 'object' && value !== null
          ? '(an object)'
          : value,
    ]),
  );
