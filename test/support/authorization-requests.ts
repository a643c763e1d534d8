/** Authorization requests that ask wrongly, for more than a code, or in another dress; and what browsers are answered, without chance and time. */
import { days, hours, newSecret, seconds } from '../../src/lib/index.ts';
import type { Compare } from './both-ways.ts';
import type { Sent } from './hostile.ts';
import { CALLBACK } from './postern.ts';
import { ONE, TWO } from './second-factor.ts';

export const API = 'https://files.example.com';
export const OTHER = 'https://notes.example.com';

export const set = (name: string, value: string) => (sent: Sent) => ({
  ...sent,
  query: [...sent.query!.filter(([other]) => other !== name), [name, value] as const],
});
const without = (name: string) => (sent: Sent) => ({
  ...sent,
  query: sent.query!.filter(([other]) => other !== name),
});
const raw = (name: string, text: string) => (sent: Sent) => ({
  ...sent,
  query: [...sent.query!.filter(([other]) => other !== name), [name, { raw: text }] as const],
});
const headers = (more: Readonly<Record<string, string>>) => (sent: Sent) => ({
  ...sent,
  headers: { ...sent.headers, ...more },
});
const cookie = (change: (cookie: string) => string) => (sent: Sent) => ({
  ...sent,
  headers: { ...sent.headers, cookie: change(String(sent.headers!['cookie'])) },
});
const swapped = (text: string): string =>
  text.replace(/(.)(.)$/, (_, one, other) => (one === other ? 'AB' : other + one));

/** Changes an authorization request. */
export type Request = (sent: Sent) => Sent;

/** What is asked wrongly, for more than a code, or in another dress. */
export const requestsBy = (cookieOf: (sessionId: string) => string): readonly Request[] => [
  ...['none', 'login', 'consent', 'select_account', 'none login', 'x'].map((value) => set('prompt', value)),
  ...['0', '100000', '-1', 'x'].map((value) => set('max_age', value)),
  ...[ONE, TWO, 'phr', 'urn:x', `${TWO} ${ONE}`].map((value) => set('acr_values', value)),
  ...['query', 'fragment', 'form_post', 'jwt', 'web_message'].map((value) => set('response_mode', value)),
  ...['token', 'code id_token', 'id_token', 'none', 'code code'].map((value) => set('response_type', value)),
  ...['plain', 's256', 'S256 '].map((value) => set('code_challenge_method', value)),
  ...['short', 'a'.repeat(42), 'a'.repeat(128), 'a'.repeat(129), `${'a'.repeat(43)}=`].map((value) =>
    set('code_challenge', value),
  ),
  ...[
    'openid',
    'email',
    'openid email email',
    'openid unknown',
    'openid files.write files.read',
    'openid notes.read',
    'openid offline_access email',
    'offline_access',
    'files.read',
    'openid  email',
    ' openid',
    'openid "email"',
    'email profile openid',
  ].map((value) => set('scope', value)),
  ...[API, OTHER, `${API}/`, `${API}#x`, 'https://nobody.example', 'x'].map((value) => set('resource', value)),
  ...[
    `${CALLBACK}/`,
    `${CALLBACK}?a=b&code=no`,
    `${CALLBACK}/it's`,
    CALLBACK.toUpperCase(),
    'https://evil.example/',
  ].map((value) => set('redirect_uri', value)),
  ...['', 'a b', 'ä', '\u2028', '<script>"\'&', 'x'.repeat(3000), 'x'.repeat(5000), '=&#', '%'].map((value) =>
    set('state', value),
  ),
  ...['', 'a b', 'ä', 'x'.repeat(2000)].map((value) => set('nonce', value)),
  ...[
    ['claims', '{"id_token":{"email":null}}'],
    ['id_token_hint', 'a.b.c'],
    ['login_hint', 'ada@example.com'],
    ['ui_locales', 'de'],
    ['display', 'page'],
    ['request', 'a.b.c'],
    ['request_uri', 'urn:ietf:params:oauth:request_uri:x'],
    ['registration', '{}'],
    ['dpop_jkt', 'x'],
    ['authorization_details', '[]'],
    ['unknown', 'parameter'],
    ['code', 'x'],
    ['client_id', 'cli_nobody'],
    ['client_id', 'account'],
  ].map(([name, value]) => set(name!, value!)),
  ...['client_id', 'redirect_uri', 'response_type', 'scope', 'code_challenge', 'code_challenge_method'].map(without),
  without('state'),
  without('nonce'),
  (sent) => without('nonce')(set('scope', 'email')(sent)),
  ...['%', '%ZZ', '%00', '%C0%AF', '%FF', '+', 'a=b=c', 'a;b', 'a#b', '#', 'a%23b', '%0d%0a', `"<>\\^\`{|}`].map(
    (text) => raw('state', text),
  ),
  (sent) => ({ ...sent, query: [...sent.query!, sent.query!.at(-1)!] }),
  (sent) => ({ ...sent, query: [...sent.query!, ['resource', API], ['resource', OTHER]] }),
  (sent) => ({ ...sent, query: [...sent.query!, ...Array.from({ length: 120 }, (_, n) => [`x${n}`, 'y'] as const)] }),
  (sent) => ({ ...sent, query: [...sent.query!, ['', ''] as const] }),
  (sent) => ({ ...sent, method: 'HEAD' }),
  (sent) => ({ ...sent, method: 'PUT' }),
  (sent) => ({ ...sent, body: 'a=b' }),
  (sent) => ({ ...sent, query: [] }),
  ...[
    '*/*',
    'text/plain',
    'application/json',
    'text/html;q=0',
    'text/html;q=0, */*',
    'text/html,text/html;q=0',
    'text/html,application/xhtml+xml,*/*;q=0.8',
    'x',
    '',
  ].map((accept) => headers({ accept })),
  headers({ dpop: 'a.b.c' }),
  headers({ origin: 'https://app.example' }),
  headers({ authorization: 'Basic eDp5' }),
  headers({ 'x-forwarded-for': '192.0.2.7', 'x-forwarded-host': 'evil.example', host: 'evil.example' }),
  headers({ 'user-agent': 'x'.repeat(600) }),
  headers({ 'if-none-match': '*', 'cache-control': 'no-cache' }),
  headers({ connection: 'close' }),
  cookie(() => ''),
  cookie((text) => text.split('; ')[0]!),
  cookie((text) => text.split('; ')[1]!),
  cookie((text) => text.split('; ').toReversed().join(';')),
  cookie((text) => `postern.csrf=x; ${text}; postern.known=y`),
  cookie((text) => `postern.session=x; ${text}`),
  cookie((text) => `${text}; postern.session=x; postern.session.sig=y`),
  cookie((text) => `xpostern.session=x; postern_session=y; ${text}`),
  cookie((text) => text.replaceAll(/=([^;]*)/g, '="$1"')),
  cookie((text) => swapped(text)),
  cookie((text) => text.replace(/session=.{4}/, 'session=AAAA')),
  cookie((text) => text.replaceAll('postern', '__Host-postern')),
  cookie(() => cookieOf(newSecret())),
  cookie(() => cookieOf('short')),
];

/** How long a browser stays signed in. */
export const MONTH = days(30);

/** Told in another way each time, and worth the same: codes, interactions, ids, and when a browser is to forget. */
const UNIQUE = [
  [/([?&#](?:amp;)?code=)[\w-]{43}(?=&|$)/g, '$1CODE'],
  [/\/(interaction|authorize)\/[\w-]{20,}/gi, '/$1/UID'],
  [/(postern\.(?:interaction|resume|request)(?:\.sig)?=)[\w-]{20,}/g, '$1UID'],
  [/(postern\.session(?:\.sig)?=)[\w-]{20,}/g, '$1ID'],
  [/err_[\w-]+/g, 'ERR'],
  [/(name="\w+" value=")[\w.-]{30,}"/g, '$1TOKEN"'],
  [/\/Authorize/g, '/authorize'],
] as const;

const alike = (text: string): string =>
  UNIQUE.reduce((so_far, [what, instead]) => so_far.replace(what, instead), text).replace(
    /expires=([^;]*GMT)/g,
    (_, time: string) => {
      // A session that was kept longer less than a minute ago is not written again for it.
      const left = Date.parse(time) - Date.now();
      return `expires=${Math.abs(left - MONTH) < seconds(62) ? 'in a month' : Math.round(left / hours(1))}`;
    },
  );

/** What a browser is told. */
export const inBrowser: Compare = ({ status, headers, text }) => {
  const { date: _, 'content-length': length, 'set-cookie': cookies = [], ...others } = headers;
  const told = [
    ...Object.entries(others)
      .map(([name, value]) => `${name}: ${value}`)
      .toSorted(),
    '',
    text,
  ];
  const body = alike([`${length === undefined}`, ...[cookies].flat(), ...told].join('\n'));
  return { status, body };
};
