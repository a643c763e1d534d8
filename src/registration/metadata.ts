import { DEVICE_GRANT, type RegisteredClient, type SaidOfItself } from '../domain/index.ts';
import type { JsonObject } from '../http/index.ts';
import type { ClientType } from '../store/index.ts';
import { WrongMember } from './refused.ts';

/** What an application says of itself, in the domain's words. */
export interface Said {
  readonly type: ClientType;
  readonly said: SaidOfItself;
}

const METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const;
type Method = (typeof METHODS)[number];

const GRANTS = ['authorization_code', 'refresh_token', DEVICE_GRANT] as const;

/** How people are sent to sign in: an application has one of them, or nobody ever comes. */
const WAYS_IN: readonly string[] = ['authorization_code', DEVICE_GRANT];

/** What is the same for every client here: whoever wants it otherwise would not understand the answers. */
const FIXED = { id_token_signed_response_alg: 'RS256', subject_type: 'public' } as const;

const SEEN = /^[^\p{C}\p{Zl}\p{Zp}]{1,200}$/u;

/**
 * Reads client metadata (RFC 7591 §2, OIDC Registration §2). What we do not know is left alone, names in other languages
 * too; null is as good as nothing (RFC 7592 §2.2).
 * @param before the client as it is registered, where it is this that changes: it stays of its type, and may say again what
 * an operator gave it
 * @throws WrongMember
 */
export function readMetadata(metadata: JsonObject, before?: RegisteredClient): Said {
  for (const [member, value] of Object.entries(FIXED))
    if ((metadata[member] ?? value) !== value) throw new WrongMember(member, `is always ${value} here`);
  if ((metadata['jwks'] ?? undefined) !== undefined && (metadata['jwks_uri'] ?? undefined) !== undefined)
    throw new WrongMember('jwks', 'and jwks_uri are not said both (RFC 7591 section 2)');
  const redirectUris = texts(metadata, 'redirect_uris') ?? [];
  const grants = grantTypes(metadata, before);
  const { type, method } = kindOf(metadata, redirectUris, before);
  const softwareId = seen(metadata, 'software_id');
  const softwareVersion = seen(metadata, 'software_version');
  const said: SaidOfItself = {
    name: text(metadata, 'client_name') ?? placeOf(redirectUris[0] ?? ''),
    // They are what the grant goes by.
    redirectUris: grants.includes('authorization_code') ? redirectUris : [],
    postLogoutRedirectUris: texts(metadata, 'post_logout_redirect_uris') ?? [],
    backchannelLogoutUri: text(metadata, 'backchannel_logout_uri'),
    backchannelLogoutSessionRequired: flag(metadata, 'backchannel_logout_session_required'),
    scopes: text(metadata, 'scope')?.split(' ').filter(Boolean) ?? [],
    deviceGrant: grants.includes(DEVICE_GRANT),
    refresh: grants.includes('refresh_token'),
    ...(method === 'private_key_jwt' && { jwks: keys(metadata) }),
    about: {
      ...(method === 'client_secret_post' && { method }),
      ...(softwareId !== undefined && { softwareId }),
      ...(softwareVersion !== undefined && { softwareVersion }),
    },
  };
  return { type, said };
}

function grantTypes(metadata: JsonObject, before: RegisteredClient | undefined): readonly string[] {
  const grants = texts(metadata, 'grant_types') ?? ['authorization_code'];
  const given = [...GRANTS, ...(before?.grantTypes ?? [])];
  const odd = grants.find((grant) => !given.includes(grant));
  if (odd !== undefined)
    throw new WrongMember(
      'grant_types',
      `${quoted(odd)} is none that an application may register for: ${GRANTS.join(', ')}`,
    );
  if (!grants.some((grant) => WAYS_IN.includes(grant)) && !before?.grantTypes.includes('password'))
    throw new WrongMember('grant_types', `must hold ${WAYS_IN.join(' or ')}`);
  const type = (texts(metadata, 'response_types') ?? []).find((each) => each !== 'code');
  if (type !== undefined) throw new WrongMember('response_types', `${quoted(type)} is not answered here: only code is`);
  return grants;
}

/**
 * Which of our types it is. An application that does not say so (`application_type`) is an installed one where only such a
 * one can be reached: by a scheme of its own, or, without a secret, on the machine itself (RFC 8252 §7) or nowhere.
 */
function kindOf(
  metadata: JsonObject,
  redirectUris: readonly string[],
  before: RegisteredClient | undefined,
): { readonly type: ClientType; readonly method: Method } {
  const asked = oneOf(metadata, 'token_endpoint_auth_method', METHODS);
  const onlyHere = redirectUris.length === 0 || redirectUris.some((uri) => uri.startsWith('http:'));
  const looksInstalled = redirectUris.some((uri) => !/^https?:/.test(uri)) || (asked === 'none' && onlyHere);
  const installed =
    (oneOf(metadata, 'application_type', ['web', 'native']) ??
      (before ? before.type : looksInstalled ? 'native' : 'web')) === 'native';
  const keepsNone = before ? before.type !== 'web' : installed;
  const method = asked ?? (keepsNone ? 'none' : 'client_secret_basic');
  if (installed && method !== 'none')
    throw new WrongMember('token_endpoint_auth_method', 'is none of a native application: it cannot keep a secret');
  const type = installed ? 'native' : method === 'none' ? 'spa' : 'web';
  if (before && type !== before.type)
    throw new WrongMember(
      installed === (before.type === 'native') ? 'token_endpoint_auth_method' : 'application_type',
      'an application stays of the kind it registered as: register it anew',
    );
  return { type, method };
}

function keys({ jwks }: JsonObject): unknown {
  if (jwks === undefined || jwks === null)
    throw new WrongMember('jwks', 'is needed for private_key_jwt; a jwks_uri is not read');
  return jwks;
}

function text(metadata: JsonObject, member: string): string | undefined {
  const value = metadata[member] ?? undefined;
  if (value !== undefined && typeof value !== 'string') throw new WrongMember(member, 'must be a text');
  return value;
}

function seen(metadata: JsonObject, member: string): string | undefined {
  const value = text(metadata, member);
  if (value !== undefined && !SEEN.test(value))
    throw new WrongMember(member, 'has 1 to 200 characters, none of them invisible');
  return value;
}

function texts(metadata: JsonObject, member: string): readonly string[] | undefined {
  const value = metadata[member] ?? undefined;
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string'))
    throw new WrongMember(member, 'must be a list of texts');
  return value;
}

function flag(metadata: JsonObject, member: string): boolean {
  const value = metadata[member] ?? false;
  if (typeof value !== 'boolean') throw new WrongMember(member, 'must be true or false');
  return value;
}

function oneOf<const T extends string>(metadata: JsonObject, member: string, of: readonly T[]): T | undefined {
  const value = text(metadata, member);
  if (value === undefined) return undefined;
  const known = of.find((each) => each === value);
  if (known === undefined) throw new WrongMember(member, `${quoted(value)} is none of ${of.join(', ')}`);
  return known;
}

/** What people are told of an application that has no name: where it is. */
function placeOf(uri: string): string {
  const url = URL.parse(uri);
  return (url?.host || url?.protocol.slice(0, -1) || 'application').slice(0, 200);
}

const quoted = (value: string): string => JSON.stringify(value.slice(0, 80));
