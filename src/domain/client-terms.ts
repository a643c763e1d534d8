import { Refusal } from '../lib/index.ts';
import type { Client, ClientType, Registration, Store } from '../store/index.ts';
import { ACR_VALUES, leastOf } from './assurance.ts';
import { DEVICE_GRANT } from './device-requests.ts';
import { checkName } from './names.ts';
import { parsePublicJwks } from './public-jwks.ts';
import { faultOfWebUri, parseRedirectUris } from './redirect-uris.ts';
import { parseScopes } from './scopes.ts';

/** What an operator decides about a client and may change later. */
export interface ClientTerms {
  readonly name: string;
  readonly redirectUris?: readonly string[] | undefined;
  readonly postLogoutRedirectUris?: readonly string[] | undefined;
  /** Where it is told that somebody is signed out, an https URL or loopback (OIDC Back-Channel Logout 1.0 §2.2); '' is nowhere. */
  readonly backchannelLogoutUri?: string | undefined;
  /** It has to be told which session (`sid`), not only whose. */
  readonly backchannelLogoutSessionRequired?: boolean | undefined;
  readonly passwordGrant?: boolean | undefined;
  /** It runs where nobody can sign in: people do that on another device (RFC 8628). */
  readonly deviceGrant?: boolean | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly resources?: readonly string[] | undefined;
  readonly firstParty?: boolean | undefined;
  /** The least that people prove for it, of {@link ACR_VALUES}: any of these. */
  readonly acrValues?: readonly string[] | undefined;
  /** Its public keys: it then proves itself by `private_key_jwt` and has no secret. An update to null gives it one again. */
  readonly jwks?: unknown;
}

/**
 * What an application says of itself (RFC 7591 §2), all of it: what is left out it does not have. No privilege is among
 * it: those are an operator's to give.
 */
export interface SaidOfItself
  extends Pick<
    ClientTerms,
    | 'name'
    | 'redirectUris'
    | 'postLogoutRedirectUris'
    | 'backchannelLogoutUri'
    | 'backchannelLogoutSessionRequired'
    | 'deviceGrant'
    | 'scopes'
    | 'jwks'
  > {
  /** It wants refresh tokens. */
  readonly refresh: boolean;
  readonly about: Pick<Registration, 'method' | 'softwareId' | 'softwareVersion'>;
}

export type Terms = ClientTerms & { readonly refresh?: boolean | undefined };

/** Everything in a record that the terms decide. */
export type Settled = Omit<Client, 'secretHashes' | 'oldSecretsUntil' | 'registration' | 'createdAt' | 'updatedAt'>;

/** What follows from a client's type alone. */
const TYPES: Readonly<Record<ClientType, { confidential: boolean; people: boolean }>> = {
  web: { confidential: true, people: true },
  spa: { confidential: false, people: true },
  native: { confidential: false, people: true },
  service: { confidential: true, people: false },
};

/**
 * What terms come to for a client of this type.
 * @throws Refusal `name_invalid`, `redirect_uri_invalid`, `redirect_uri_missing`, `redirect_uri_unused`, `device_grant_unused`,
 * `post_logout_redirect_uri_invalid`, `backchannel_logout_uri_invalid`, `scope_invalid`, `resource_unknown`, `acr_unknown`, `jwks_invalid`
 */
export async function settle(store: Pick<Store, 'get'>, type: ClientType, terms: Terms): Promise<Settled> {
  const { confidential } = TYPES[type];
  const redirectUris = parseRedirectUris(type, terms.redirectUris ?? []);
  const resources = [...new Set(terms.resources ?? [])];
  for (const uri of resources)
    if (!(await store.get('resources', uri)))
      throw new Refusal('resource_unknown', `${JSON.stringify(uri.slice(0, 200))} is no registered resource`);
  checkName(terms.name);
  if (terms.jwks !== undefined && !confidential)
    throw new Refusal('jwks_invalid', `a ${type} client keeps no key: everyone who has the application has it`);
  return {
    name: terms.name,
    type,
    redirectUris,
    postLogoutRedirectUris: parseRedirectUris(
      type,
      terms.postLogoutRedirectUris ?? [],
      'post_logout_redirect_uri_invalid',
    ),
    ...backchannelLogout(type, terms),
    grantTypes: grantTypes(type, redirectUris, terms),
    scopes: parseScopes(terms.scopes ?? []),
    resources,
    firstParty: terms.firstParty ?? false,
    ...(terms.acrValues?.length && { acrValues: parseAcrValues(terms.acrValues) }),
    tokenEndpointAuthMethod: !confidential ? 'none' : terms.jwks ? 'private_key_jwt' : 'client_secret_basic',
    ...(terms.jwks !== undefined && { jwks: parsePublicJwks(terms.jwks) }),
  } as const;
}

/** @throws Refusal `acr_unknown` */
function parseAcrValues(words: readonly string[]): readonly string[] {
  const unknown = words.find((word) => leastOf([word]) === 'unmet');
  if (unknown !== undefined)
    throw new Refusal('acr_unknown', `${JSON.stringify(unknown.slice(0, 80))} is none of ${ACR_VALUES.join(', ')}`);
  return [...new Set(words)];
}

/** @throws Refusal `backchannel_logout_uri_invalid` */
function backchannelLogout(type: ClientType, terms: ClientTerms): Pick<Client, 'backchannelLogout'> {
  const { backchannelLogoutUri: uri, backchannelLogoutSessionRequired: sessionRequired = false } = terms;
  if (!uri) return {};
  const refused = (why: string) =>
    new Refusal('backchannel_logout_uri_invalid', `${JSON.stringify(uri.slice(0, 200))} ${why}`);
  if (!TYPES[type].people) throw refused(`is of no use: a ${type} client signs nobody in`);
  const fault = faultOfWebUri(uri);
  if (fault) throw refused(fault);
  return { backchannelLogout: { uri, sessionRequired } };
}

/** @throws Refusal `redirect_uri_missing`, `redirect_uri_unused`, `device_grant_unused` */
function grantTypes(
  type: ClientType,
  redirectUris: readonly string[],
  { passwordGrant = false, deviceGrant = false, refresh = true }: Terms,
): string[] {
  const { people } = TYPES[type];
  if (!people && redirectUris.length > 0)
    throw new Refusal('redirect_uri_unused', `a ${type} client signs nobody in: it has no redirect URI`);
  if (!people && deviceGrant)
    throw new Refusal('device_grant_unused', `a ${type} client signs nobody in: it is of type native, on a device`);
  // One that asks for passwords itself, or has people sign in elsewhere, need not send anybody to the sign-in page.
  if (people && redirectUris.length === 0 && !passwordGrant && !deviceGrant)
    throw new Refusal('redirect_uri_missing', `a ${type} client needs at least one redirect URI`);
  return [
    ...(redirectUris.length > 0 ? ['authorization_code'] : []),
    ...(people ? [] : ['client_credentials']),
    ...(passwordGrant ? ['password'] : []),
    ...(deviceGrant ? [DEVICE_GRANT] : []),
    ...(refresh && (people || passwordGrant) ? ['refresh_token'] : []),
  ];
}

/** The terms of a record, as they would settle to it again. */
export const termsOf = (record: Client): Terms => ({
  ...record,
  passwordGrant: record.grantTypes.includes('password'),
  deviceGrant: record.grantTypes.includes(DEVICE_GRANT),
  // An operator's have them as their type brings; one that registered itself has them where it asked.
  refresh: !record.registration || record.grantTypes.includes('refresh_token'),
  backchannelLogoutUri: record.backchannelLogout?.uri,
  backchannelLogoutSessionRequired: record.backchannelLogout?.sessionRequired,
});
