import { isDeepStrictEqual } from 'node:util';
import { DEVICE_GRANT, type Domain, type RegisteredClient } from '../../domain/index.ts';
import type { Form } from '../../http/index.ts';

/** So many APIs are boxes to tick; of more, their addresses are typed. */
const MOST_BOXES = 16;

const words = (text = ''): string[] => text.split(/\s+/).filter(Boolean);
const lines = (texts: readonly string[]): string => texts.join('\n');

/** What an operator decides about an application, as an operation takes it. */
export type Terms = {
  readonly name: string;
  readonly redirect_uris: readonly string[];
  readonly post_logout_redirect_uris: readonly string[];
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
  readonly password_grant: boolean;
  readonly device_grant: boolean;
  readonly first_party: boolean;
};

/** What a form says. Each box has a name of its own, since no field is sent twice. */
export const termsIn = (form: Form): Terms => ({
  name: form['name']?.trim() ?? '',
  redirect_uris: words(form['redirect_uris']),
  post_logout_redirect_uris: words(form['post_logout_redirect_uris']),
  scopes: words(form['scopes']),
  resources: [
    ...Object.entries(form).flatMap(([name, value]) => (/^api\d+$/.test(name) ? [value] : [])),
    ...words(form['apis']),
  ],
  password_grant: form['password_grant'] === 'yes',
  device_grant: form['device_grant'] === 'yes',
  first_party: form['first_party'] === 'yes',
});

export const termsOf = (client: RegisteredClient): Terms => ({
  name: client.name,
  redirect_uris: client.redirectUris,
  post_logout_redirect_uris: client.postLogoutRedirectUris,
  scopes: client.scopes,
  resources: client.resources,
  password_grant: client.grantTypes.includes('password'),
  device_grant: client.grantTypes.includes(DEVICE_GRANT),
  first_party: client.firstParty,
});

const NONE: Terms = {
  name: '',
  redirect_uris: [],
  post_logout_redirect_uris: [],
  scopes: [],
  resources: [],
  password_grant: false,
  device_grant: false,
  first_party: false,
};

/** Only what is changed: what an operator names, an application that registered itself cannot change any more. */
export function changed(terms: Terms, before: Terms): Partial<Terms> {
  const sorted = (value: Terms[keyof Terms]) => (Array.isArray(value) ? value.toSorted() : value);
  return Object.fromEntries(
    Object.entries(terms).filter(
      ([name, value]) => !isDeepStrictEqual(sorted(value), sorted(before[name as keyof Terms])),
    ),
  );
}

/** The terms as the fields of a form. */
export async function termsShown(domain: Pick<Domain, 'resources'>, terms: Terms = NONE) {
  const { resources: first, next } = await domain.resources.list({ limit: MOST_BOXES });
  const boxes = next === undefined ? first : [];
  const known = new Set(boxes.map(({ uri }) => uri));
  return {
    name: terms.name,
    redirectUris: lines(terms.redirect_uris),
    postLogoutRedirectUris: lines(terms.post_logout_redirect_uris),
    scopes: terms.scopes.join(' '),
    apis: boxes.map(({ uri, name }) => ({ uri, name: name ?? uri, chosen: terms.resources.includes(uri) })),
    /** Undefined where every API is a box. */
    apisTyped: next === undefined ? undefined : lines(terms.resources.filter((uri) => !known.has(uri))),
    passwordGrant: terms.password_grant,
    deviceGrant: terms.device_grant,
    firstParty: terms.first_party,
  };
}
