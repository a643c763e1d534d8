import type { AdminPages } from '../../src/http/admin-pages.ts';
import type { AdminUpstreamPages } from '../../src/http/admin-upstream-pages.ts';

type Samples = { readonly [P in keyof AdminUpstreamPages]: AdminUpstreamPages[P] };

const AT = Date.UTC(2026, 10, 3, 8, 41);
const on = (page: string) => ({
  person: { email: 'grace@example.com', name: 'Grace Hopper' },
  action: `/admin/${page}`,
  csrf: 'token',
});
const callback = (id: string): string => `https://id.riverside.example/upstream/${id}/callback`;

const OIDC = { id: 'oidc', name: 'OpenID Connect' };
const GOOGLE = { id: 'google', name: 'Google' };
const CITY = {
  name: 'City of Riverside',
  client_id: 'riverside-library',
  scopes: 'openid email profile',
  trust_email: true,
  sign_up: false,
};

/** The pages of operators about providers as they usually meet them. */
export const upstreamsUsual: Samples = {
  'admin-upstreams': {
    ...on('upstreams'),
    upstreams: [
      { id: 'google', name: 'Google', kind: GOOGLE },
      { id: 'city', name: 'City of Riverside', kind: OIDC },
    ],
  },
  'admin-upstream-kind': {
    ...on('upstreams/new'),
    kinds: [
      OIDC,
      GOOGLE,
      { id: 'microsoft', name: 'Microsoft' },
      { id: 'facebook', name: 'Facebook' },
      { id: 'github', name: 'GitHub' },
    ],
  },
  'admin-upstream-new': {
    ...on('upstreams/new'),
    kind: OIDC,
    id: 'oidc',
    callback: callback('oidc'),
    place: { by: 'issuer', needed: true, value: '' },
    terms: { ...CITY, name: '', client_id: '', trust_email: false },
    typedSecret: false,
  },
  'admin-upstream': {
    ...on('upstreams/city'),
    done: 'upstream_added',
    id: 'city',
    kind: OIDC,
    called: CITY.name,
    issuer: 'https://id.city.riverside.example',
    callback: callback('city'),
    terms: CITY,
    typedSecret: false,
    hasSecret: true,
    linked: { n: 1284, more: false },
    createdAt: AT,
    updatedAt: AT,
    seen: 'name:1',
  },
};

type State = { readonly [P in keyof AdminPages]: readonly [page: P, data: AdminPages[P]] }[keyof AdminPages];

/** What they may be like as well. */
export const upstreamsOtherwise: Readonly<Record<string, State>> = {
  'admin-upstreams-none': ['admin-upstreams', { ...upstreamsUsual['admin-upstreams'], upstreams: [] }],
  'admin-upstream-new-microsoft': [
    'admin-upstream-new',
    {
      ...upstreamsUsual['admin-upstream-new'],
      kind: { id: 'microsoft', name: 'Microsoft' },
      id: 'microsoft',
      callback: callback('microsoft'),
      place: { by: 'tenant', needed: false, value: '' },
      terms: { ...CITY, name: 'Microsoft', client_id: '', trust_email: false },
    },
  ],
  'admin-upstream-new-refused': [
    'admin-upstream-new',
    {
      ...upstreamsUsual['admin-upstream-new'],
      error: 'issuer_invalid',
      detail:
        '"http://id.city.riverside.example" must be an https URL without query and fragment, as the provider\'s discovery document writes it',
      place: { by: 'issuer', needed: true, value: 'http://id.city.riverside.example' },
      terms: CITY,
      typedSecret: true,
    },
  ],
  'admin-upstream-refused': [
    'admin-upstream',
    {
      ...upstreamsUsual['admin-upstream'],
      done: undefined,
      error: 'scope_invalid',
      detail: '"a\\"b" is no scope',
      hasSecret: false,
      linked: { n: 1000, more: true },
      typedSecret: true,
    },
  ],
  'admin-upstream-remove': [
    'admin-remove',
    {
      ...on('upstreams/city/remove'),
      what: 'upstream',
      name: CITY.name,
      linked: { n: 1284, more: false },
      since: AT,
      back: '/admin/upstreams/city',
    },
  ],
};

/** The same with one text wherever a foreign one can stand. */
export function upstreamsHostile(text: string): Samples {
  const every = {
    person: { email: text, name: text },
    action: `/x?${text}`,
    csrf: text,
    error: text,
    detail: text,
  };
  const form = {
    ...every,
    id: text,
    callback: text,
    terms: { name: text, client_id: text, scopes: text, trust_email: true, sign_up: true },
    typedSecret: true,
  };
  const unknown = { id: text, name: text };
  return {
    'admin-upstreams': { ...every, upstreams: [{ id: text, name: text, kind: unknown }] },
    'admin-upstream-kind': { ...every, kinds: [unknown] },
    'admin-upstream-new': {
      ...form,
      kind: { id: 'github', name: text },
      place: { by: 'issuer', needed: false, value: text },
    },
    'admin-upstream': {
      ...form,
      kind: unknown,
      called: text,
      issuer: text,
      hasSecret: false,
      linked: { n: 1, more: false },
      createdAt: AT,
      updatedAt: AT,
      seen: text,
    },
  };
}
