import type { AccountPages } from '../../src/http/account-pages.ts';

type Samples = { readonly [P in keyof AccountPages]: AccountPages[P] };

const AT = Date.UTC(2026, 10, 3, 8, 41);
const own = (page: string) => ({
  person: { email: 'ada@example.com', name: 'Ada Lovelace' },
  action: `/account/${page}`,
  csrf: 'token',
});

/** The pages of somebody's own account as they usually meet them. */
export const ownUsual: Samples = {
  account: {
    ...own(''),
    done: 'password',
    hasPassword: true,
    operator: true,
    factors: 2,
    sessions: 3,
    applications: 1,
    linked: 1,
  },
  'account-profile': { ...own('profile'), name: 'Ada Lovelace', emailVerified: false },
  'account-email': { ...own('email'), email: '' },
  'account-password': { ...own('password'), minimum: 8 },
  'account-factors': {
    ...own('factors'),
    done: 'factor_renamed',
    factors: [
      { id: 'fac_1', kind: 'passkey', name: 'Phone', createdAt: AT, lastUsedAt: AT },
      { id: 'fac_2', kind: 'totp', createdAt: AT },
    ],
    passkeys: true,
    codesLeft: 9,
  },
  'account-totp': {
    ...own('totp'),
    totp: {
      enrolment: 'sealed',
      secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
      uri: 'otpauth://totp/Postern:ada%40example.com?issuer=Postern&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
    },
  },
  'account-passkey': { ...own('passkey'), passkey: { challenge: 'x' }, name: '' },
  'account-linked': {
    ...own('linked'),
    linked: [{ id: 'idn_1', upstream: 'City of Riverside', label: 'ada@city.example', createdAt: AT, lastUsedAt: AT }],
    offered: [
      { id: 'city', name: 'City of Riverside' },
      { id: 'github', name: 'GitHub' },
    ],
    outcome: { upstream: 'City of Riverside', linked: 'here' },
  },
  'account-sessions': {
    ...own('sessions'),
    others: true,
    sessions: [
      {
        id: 'a',
        current: true,
        browser: 'Firefox',
        system: 'Linux',
        address: '203.0.113.7',
        signedInAt: AT,
        lastSeenAt: AT,
      },
      {
        id: 'b',
        current: false,
        browser: 'Safari',
        system: 'iPhone',
        address: '2001:db8::7',
        signedInAt: AT,
        lastSeenAt: AT,
      },
      { id: 'c', current: false, address: '', signedInAt: AT, lastSeenAt: AT },
    ],
  },
  'account-applications': {
    ...own('applications'),
    applications: [
      {
        id: 'cli_1',
        name: 'Riverside Library',
        scopes: ['openid', 'profile'],
        resources: [{ name: 'Lending desk', scopes: ['loans:renew'] }],
        since: AT,
        lastUsedAt: AT,
      },
    ],
  },
  'account-events': {
    ...own('events'),
    events: [
      { at: AT, type: 'session.started', browser: 'Firefox', system: 'Linux', address: '203.0.113.7' },
      { at: AT, type: 'consent.given', client: 'Riverside Library', address: '' },
      { at: AT, type: 'account.added', address: '' },
    ],
  },
  'account-data': { ...own('data') },
  'account-deleted': {},
};

/** The same with one text wherever a foreign one can stand. */
export function ownHostile(text: string): Samples {
  const every = {
    person: { email: text, name: text },
    action: `/x?${text}`,
    csrf: text,
    done: text,
  };
  return {
    account: { ...every, hasPassword: false, operator: false, factors: 0, sessions: 1, applications: 0 },
    'account-profile': { ...every, error: 'name', name: text, emailVerified: true },
    'account-email': { ...every, error: 'email_invalid', email: text },
    'account-password': { ...every, error: 'personal', minimum: 15 },
    'account-factors': {
      ...every,
      error: 'name',
      naming: { factor: text, name: text },
      factors: [{ id: text, kind: 'passkey', name: text, createdAt: AT, lastUsedAt: AT }],
      passkeys: false,
      codesLeft: 0,
    },
    'account-totp': { ...every, error: 'wrong', totp: { enrolment: text, secret: 'JBSWY3DP', uri: text } },
    'account-passkey': { ...every, error: 'passkey', name: text },
    'account-linked': {
      ...every,
      linked: [{ id: text, upstream: text, label: text, createdAt: AT }],
      offered: [{ id: text, name: text }],
      outcome: { upstream: text, reason: 'untrusted', id: text },
    },
    'account-sessions': {
      ...every,
      others: true,
      after: text,
      next: `javascript:${text}`,
      sessions: [
        { id: text, current: false, browser: text, system: text, address: text, signedInAt: AT, lastSeenAt: AT },
      ],
    },
    'account-applications': {
      ...every,
      applications: [
        {
          id: text,
          name: text,
          scopes: [text],
          resources: [{ name: text, scopes: [text] }],
          since: AT,
        },
      ],
    },
    'account-events': { ...every, events: [{ at: AT, type: 'session.started', client: text, address: text }] },
    'account-data': { ...every, error: 'email_other' },
    'account-deleted': {},
  };
}
