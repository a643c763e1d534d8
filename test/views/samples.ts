import type { PageData, PageName } from '../../src/http/pages.ts';

export type Samples = { readonly [P in PageName]: PageData[P] };

/** Every page as people usually meet it. */
export const usual: Samples = {
  login: {
    action: '/interaction/abc/login',
    csrf: 'token',
    email: '',
    client: { name: 'Riverside Library', host: 'books.riverside.example' },
    upstreams: {
      action: '/interaction/abc/upstream',
      offered: [
        { id: 'google', name: 'Google' },
        { id: 'city', name: 'City of Riverside' },
      ],
    },
    cancel: true,
  },
  link: {
    action: '/interaction/abc/link',
    csrf: 'token',
    person: { email: 'ada@example.com' },
    upstream: { name: 'Google', label: 'ada.lovelace@gmail.com' },
  },
  'second-factor': {
    action: '/interaction/abc/second-factor',
    csrf: 'token',
    person: { email: 'ada@example.com' },
    client: { name: 'Riverside Library', host: 'books.riverside.example' },
    kinds: ['totp', 'recovery'],
  },
  enrol: {
    action: '/interaction/abc/enrol',
    csrf: 'token',
    person: { email: 'ada@example.com' },
    client: { name: 'Riverside Library', host: 'books.riverside.example' },
    totp: {
      enrolment: 'sealed',
      secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
      uri: 'otpauth://totp/Postern:ada%40example.com?issuer=Postern&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
    },
  },
  'recovery-codes': {
    action: '/interaction/abc/recovery-codes',
    csrf: 'token',
    codes: [
      '7QMK-2XHD-9RTP',
      'W3N8-HC5Z-0YAV',
      'JT6E-4BKS-XM1R',
      'P9DG-QZ7F-28NC',
      'AH5V-RW0T-KE3J',
      '1YSX-M6PB-D4QG',
      'ZF8C-J2NE-VT9H',
      'K0RB-5GXA-W7MS',
      'E4TQ-YD1P-6CZN',
      '9VJH-8SKW-R2FX',
    ],
    set: 'set',
  },
  consent: {
    action: '/interaction/abc/consent',
    csrf: 'token',
    person: { email: 'ada@example.com', name: 'Ada Lovelace' },
    client: { name: 'Riverside Library', returnsTo: 'books.riverside.example' },
    items: [{ scope: 'openid' }, { scope: 'profile' }, { scope: 'email' }, { scope: 'offline_access' }],
    resources: [
      {
        name: 'Lending desk',
        uri: 'https://api.riverside.example/lending',
        items: [{ title: 'See what you borrowed', detail: 'Titles and due dates.' }, { scope: 'loans:renew' }],
      },
    ],
    firstTime: true,
  },
  error: {
    reason: 'redirect',
    id: 'err_9sYw3qN0bXzQm4hJt2LpVA',
    hint: 'The application can register the address and ask again.',
    retry: '/',
  },
  logout: {
    action: '/logout/confirm',
    fields: { xsrf: 'token' },
    person: { email: 'ada@example.com' },
    client: { name: 'Riverside Library' },
  },
  'signed-out': { client: { name: 'Riverside Library', uri: 'https://books.riverside.example/' } },
  home: { issuer: 'https://id.riverside.example' },
  'not-found': {},
};

/** A text that is markup, ends attributes, reads from right to left, overrides directions, or never ends. */
const HOSTILE = [
  `<script>document.title='owned'</script>"'><img src=x onerror="document.title='owned'">&amp;`,
  '\u05E9\u05DC\u05D5\u05DD \u202Emoc.knab\u202C \u2066<b>',
  'W'.repeat(300),
  '',
] as const;

/** Every page with one hostile text in every field that can hold a foreign one. */
export const hostile: readonly Samples[] = HOSTILE.map((text) => ({
  login: {
    action: `/x?${text}`,
    csrf: text,
    email: text,
    error: 'wrong',
    client: { name: text, host: text },
    otherAccount: true,
    upstreams: { action: `/x?${text}`, offered: [{ id: text, name: text }] },
    linking: { upstream: text, label: text },
    cancel: true,
  },
  link: { action: `/x?${text}`, csrf: text, person: { email: text }, upstream: { name: text, label: text } },
  'second-factor': {
    action: `/x?${text}`,
    csrf: text,
    person: { email: text },
    client: { name: text, host: text },
    kinds: [text, 'totp'],
    error: 'wrong',
  },
  enrol: {
    action: `/x?${text}`,
    csrf: text,
    person: { email: text },
    client: { name: text, host: text },
    totp: { enrolment: text, secret: 'JBSWY3DP', uri: text },
    error: 'wrong',
  },
  'recovery-codes': { action: `/x?${text}`, csrf: text, codes: ['7QMK-2XHD-9RTP'], set: text },
  consent: {
    action: `/x?${text}`,
    csrf: text,
    person: { email: text, name: text },
    client: { name: text, returnsTo: text },
    items: [{ scope: text }, { title: text, detail: text }, { scope: 'email' }],
    resources: [{ name: text, uri: text, items: [{ scope: text, detail: text }] }],
    firstTime: false,
  },
  error: { sentence: text, id: text, hint: text, retry: `javascript:${text}` },
  logout: {
    action: `/x?${text}`,
    fields: { [text]: text },
    person: { email: text },
    client: { name: text },
  },
  'signed-out': { client: { name: text, uri: `https://example.com/?${text}` } },
  home: { issuer: text },
  'not-found': {},
}));
