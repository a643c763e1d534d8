import type { AdminPages } from '../../src/http/admin-pages.ts';
import type { AdminUpstreamPages } from '../../src/http/admin-upstream-pages.ts';

/** Those about providers are in upstream-samples.ts. */
type Samples = { readonly [P in Exclude<keyof AdminPages, keyof AdminUpstreamPages>]: AdminPages[P] };

const AT = Date.UTC(2026, 10, 3, 8, 41);
const ADA = { id: 'usr_4vXq0m2Zc8sJt1YwRk6bPA', email: 'ada@example.com' };
const on = (page: string) => ({
  person: { email: 'grace@example.com', name: 'Grace Hopper' },
  action: page === '' ? '/admin' : `/admin/${page}`,
  csrf: 'token',
});

const EVENTS = [
  { at: AT, type: 'account.disabled', person: ADA, by: { id: 'usr_2', email: 'grace@example.com' } },
  { at: AT, type: 'session.started', person: ADA, about: '203.0.113.7' },
  { at: AT, type: 'consent.given', person: ADA, client: { id: 'cli_1', name: 'Riverside Library' } },
];

const TERMS = {
  name: 'Riverside Library',
  redirectUris: 'https://books.riverside.example/signed-in\nhttp://localhost:8080/signed-in',
  postLogoutRedirectUris: '',
  scopes: '',
  apis: [
    { uri: 'https://api.riverside.example/lending', name: 'Lending desk', chosen: true },
    { uri: 'urn:example:catalogue', name: 'urn:example:catalogue', chosen: false },
  ],
  apisTyped: undefined,
  passwordGrant: false,
  deviceGrant: false,
  firstParty: true,
};
const KEEP = ['0', '3600', '86400', '604800'];

/** The pages of operators as they usually meet them. */
export const adminUsual: Samples = {
  admin: { ...on(''), mailed: false, secondStep: false },
  'admin-refused': { person: { email: 'ada@example.com' }, other: '/authorize?prompt=select_account' },
  'admin-people': {
    ...on('people'),
    who: '',
    found: false,
    people: [
      { ...ADA, name: 'Ada Lovelace', admin: false, disabled: true },
      { id: 'usr_2', email: 'grace@example.com', name: 'Grace Hopper', admin: true, disabled: false },
      { id: 'usr_3', email: 'katherine.johnson@example.com', admin: false, disabled: false },
    ],
    next: '/admin/people?after=x',
  },
  'admin-person-new': {
    ...on('people/new'),
    email: 'ada@example',
    name: '',
    admin: false,
    language: 'de',
    languages: ['en', 'de'],
    mailed: true,
    error: 'email_invalid',
  },
  'admin-person': {
    ...on(`people/${ADA.id}`),
    done: 'session_ended',
    ...ADA,
    self: false,
    emailVerified: true,
    name: 'Ada Lovelace',
    admin: true,
    disabled: false,
    createdAt: AT,
    hasPassword: true,
    mailed: true,
    factors: [
      { kind: 'passkey', name: 'Phone', createdAt: AT, lastUsedAt: AT },
      { kind: 'recovery', left: 9, createdAt: AT },
    ],
    signedIn: 2,
    signIns: [
      {
        id: 'x1',
        signedInAt: AT,
        lastSeenAt: AT,
        address: '203.0.113.7',
        browser: 'Firefox',
        system: 'Linux',
        applications: ['Riverside Library', 'Reading club'],
      },
      { id: 'x2', signedInAt: AT, lastSeenAt: AT, address: '2001:db8::7', applications: [] },
    ],
    events: EVENTS,
  },
  'admin-applications': {
    ...on('applications'),
    wanted: '',
    more: false,
    applications: [
      { id: 'cli_1n5xYg7Qw0ZbKc3VdRtM2A', name: 'Riverside Library', type: 'web', unknown: false },
      { id: 'cli_8kLp4Jh2Ns6TfXe9CvBu1D', name: 'Reading club', type: 'native', unknown: true },
    ],
  },
  'admin-application-new': {
    ...on('applications/new'),
    error: 'redirect_uri_invalid',
    detail: '"http://books.riverside.example" must be https: plain http is for loopback addresses only',
    type: 'web',
    terms: TERMS,
  },
  'admin-application': {
    ...on('applications/cli_1n5xYg7Qw0ZbKc3VdRtM2A'),
    done: 'application_saved',
    id: 'cli_1n5xYg7Qw0ZbKc3VdRtM2A',
    name: 'Riverside Library',
    type: 'web',
    grants: ['authorization_code', 'refresh_token'],
    acrValues: ['urn:postern:acr:two-factor'],
    authMethod: 'client_secret_basic',
    registration: { vouched: false },
    oldSecretsUntil: [AT],
    createdAt: AT,
    updatedAt: AT,
    seen: 'name:1',
    terms: TERMS,
    keep: KEEP,
  },
  'admin-person-edit': {
    ...on(`people/${ADA.id}/edit`),
    ...ADA,
    self: false,
    seen: 'name:1',
    name: 'Ada Lovelace',
    emailVerified: true,
    admin: false,
  },
  'admin-apis': {
    ...on('apis'),
    apis: [
      { uri: 'https://api.riverside.example/lending', name: 'Lending desk', address: '/admin/apis/a' },
      { uri: 'urn:example:catalogue', address: '/admin/apis/b' },
    ],
  },
  'admin-api-new': {
    ...on('apis/new'),
    error: 'ttl_invalid',
    detail: 'a token lives from 30 seconds to 24 hours',
    uri: 'https://api.riverside.example/lending',
    terms: { name: 'Lending desk', scopes: 'loans:read loans:renew', ttl: '2d', revocable: true },
  },
  'admin-api': {
    ...on('apis/a'),
    done: 'api_saved',
    uri: 'https://api.riverside.example/lending',
    called: 'Lending desk',
    alg: 'RS256',
    createdAt: AT,
    seen: 'name:1',
    terms: { name: 'Lending desk', scopes: 'loans:read loans:renew', ttl: '15m', revocable: false },
  },
  'admin-keys': {
    ...on('keys'),
    keys: [
      { kid: 'dE5pW3Zr8qKfVYb1nUo0sXcT7mLhGa2jQv9yRkPiB4M', alg: 'RS256', state: 'signing', signsFrom: AT },
      { kid: 'Qv9yRkPiB4MdE5pW3Zr8qKfVYb1nUo0sXcT7mLhGa2j', alg: 'RS256', state: 'published', signsFrom: AT },
      {
        kid: 'nUo0sXcT7mLhGa2jQv9yRkPiB4MdE5pW3Zr8qKfVYb1',
        alg: 'ES256',
        state: 'retired',
        signsFrom: AT,
        dropsAt: AT,
      },
    ],
  },
  'admin-events': {
    ...on('events'),
    user: '',
    type: 'account',
    filtered: true,
    events: [
      ...EVENTS,
      { at: AT, type: 'resource.updated', about: 'https://api.riverside.example/lending', changed: 'name scopes ttl' },
    ],
    next: '/admin/events?after=x',
  },
  'admin-explain': {
    ...on('explain'),
    id: 'err_0mk2x7a1bQzQm4hJt',
    found: {
      at: AT,
      error: 'invalid_request',
      sentence: "redirect_uri did not match any of the client's registered redirect_uris",
      rule: 'the redirect_uri must be one of those registered, character by character',
      asked: { method: 'GET', redirect_uri: 'https://books.riverside.example/signed-in/' },
      registered: { redirect_uris: ['https://books.riverside.example/signed-in'] },
    },
  },
  'admin-remove': {
    ...on('people/usr_1/remove'),
    what: 'person',
    name: 'ada@example.com',
    back: '/admin/people/usr_1',
  },
  'admin-once': {
    what: 'link',
    value:
      'https://id.riverside.example/account/join?token=lnk_7mB2.4rYqTz0WcVnKfE8sJx1LpDhGuA5oXiMvNb3CeRw&ui_locales=en',
    name: 'ada@example.com',
    until: AT,
    onwards: '/admin/people/usr_1',
  },
};

/** The same with one text wherever a foreign one can stand. */
export function adminHostile(text: string): Samples {
  const every = {
    person: { email: text, name: text },
    action: `/x?${text}`,
    csrf: text,
    error: text,
    detail: text,
  };
  const someone = { id: text, email: text };
  const events = [
    {
      at: AT,
      type: text,
      person: someone,
      client: { id: text, name: text, address: `javascript:${text}` },
      by: someone,
      about: text,
      changed: text,
      admin: true,
    },
    { at: AT, type: text, person: { id: text, email: undefined }, byClient: { id: text, name: undefined } },
  ];
  const terms = {
    name: text,
    redirectUris: text,
    postLogoutRedirectUris: text,
    scopes: text,
    apis: [{ uri: text, name: `${text} `, chosen: true }],
    apisTyped: text,
    passwordGrant: true,
    deviceGrant: true,
    firstParty: true,
  };
  const api = { name: text, scopes: text, ttl: text, revocable: true };
  return {
    admin: { ...every, mailed: true, secondStep: true },
    'admin-refused': { person: { email: text }, other: `javascript:${text}` },
    'admin-people': {
      ...every,
      who: text,
      found: true,
      people: [{ id: text, email: text, name: text, admin: true, disabled: true }],
      next: `javascript:${text}`,
    },
    'admin-person-new': {
      ...every,
      error: 'name_invalid',
      email: text,
      name: text,
      admin: true,
      language: 'en',
      languages: ['en', 'de'],
      mailed: false,
    },
    'admin-person': {
      ...every,
      id: text,
      self: true,
      email: text,
      emailVerified: false,
      name: text,
      admin: true,
      disabled: true,
      createdAt: AT,
      hasPassword: true,
      mailed: false,
      factors: [{ kind: text, name: text, left: 0, createdAt: AT }],
      signedIn: 3,
      after: text,
      next: `javascript:${text}`,
      signIns: [
        {
          id: text,
          signedInAt: AT,
          lastSeenAt: AT,
          address: text,
          browser: text,
          system: text,
          applications: [text, text],
        },
      ],
      events,
    },
    'admin-applications': {
      ...every,
      wanted: text,
      more: true,
      applications: [{ id: text, name: text, type: 'service', unknown: true }],
      next: `javascript:${text}`,
    },
    'admin-application-new': { ...every, error: 'scope_invalid', type: text, terms },
    'admin-application': {
      ...every,
      id: text,
      name: text,
      type: 'spa',
      grants: [text],
      acrValues: [text],
      authMethod: 'private_key_jwt',
      logout: text,
      registration: { vouched: true },
      oldSecretsUntil: [],
      createdAt: AT,
      updatedAt: AT,
      seen: text,
      terms,
      keep: KEEP,
    },
    'admin-person-edit': {
      ...every,
      error: 'name_invalid',
      id: text,
      self: false,
      seen: text,
      name: text,
      email: text,
      emailVerified: true,
      admin: true,
    },
    'admin-apis': {
      ...every,
      apis: [{ uri: text, name: text, address: `javascript:${text}` }],
      next: `javascript:${text}`,
    },
    'admin-api-new': { ...every, error: 'resource_invalid', uri: text, terms: api },
    'admin-api': { ...every, uri: text, called: text, alg: 'RS256', createdAt: AT, seen: text, terms: api },
    'admin-keys': { ...every, keys: [{ kid: text, alg: 'ES256', state: 'retired', signsFrom: AT, dropsAt: AT }] },
    'admin-events': { ...every, user: text, type: text, filtered: false, events, next: `javascript:${text}` },
    'admin-explain': {
      ...every,
      id: text,
      found: {
        at: AT,
        error: text,
        sentence: text,
        rule: text,
        asked: { [text]: text },
        registered: { [text]: [text, { [text]: text }] },
      },
    },
    'admin-remove': { ...every, what: 'person', name: text, back: `javascript:${text}` },
    'admin-once': { what: 'secret', id: text, value: text, name: text, onwards: `javascript:${text}` },
  };
}
