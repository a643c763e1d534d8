/** What programs send: who they say they are and how, and the dress of a form. */
import fc from 'fast-check';
import { dressed, encodePairs, hostileText, type Pairs, type Sent, spoiled } from './hostile.ts';

export interface Credentials {
  readonly id: string;
  readonly secret: string;
}

/** Mostly what is given, sometimes anything. */
export const word = (arbitrary: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 19, arbitrary }, { weight: 1, arbitrary: hostileText() });

export const basic = ({ id, secret }: Credentials) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

/** As some programs write them (RFC 6749 §2.3.1), though nothing in them has to be escaped. */
export const escaped = ({ id, secret }: Credentials): Credentials => {
  const escapeAll = (text: string) => text.replaceAll('-', '%2D').replaceAll('_', '%5F');
  return { id: escapeAll(id), secret: escapeAll(secret) };
};

/** Credentials as parameters and as a header: one way mostly, sometimes none or both, sometimes not quite right. */
export const proof = (by: fc.Arbitrary<Credentials>) =>
  fc
    .record({
      who: by,
      by: fc.constantFrom('header', 'header', 'header', 'header', 'form', 'form', 'both', 'id too', 'id', 'none'),
      spelled: fc.constantFrom(
        basic,
        basic,
        basic,
        basic,
        (who: Credentials) => basic(who).replace('Basic', 'bAsIC'),
        (who: Credentials) => basic(who).replaceAll('=', ''),
        (who: Credentials) => `${basic(who)}=`,
        (who: Credentials) => basic(who).replace(' ', '  '),
        (who: Credentials) => basic(escaped(who)),
        (who: Credentials) => basic({ ...who, id: escaped(who).id.replace('%5F', '%5f') }),
        (who: Credentials) => basic({ ...who, id: escaped(who).id.replace('%5F', '%255F') }),
        (who: Credentials) => basic({ ...who, secret: `${who.secret}x` }),
        (who: Credentials) => basic({ ...who, secret: `${who.secret}%` }),
        (who: Credentials) => basic({ ...who, secret: '' }),
        (who: Credentials) => basic({ id: 'cli_nobody', secret: who.secret }),
        (who: Credentials) => `Bearer ${who.secret}`,
      ),
    })
    .map(({ who, by, spelled }) => ({
      headers: ['header', 'both', 'id too'].includes(by) ? { authorization: spelled(who) } : {},
      pairs: [
        ...(['form', 'both', 'id too', 'id'].includes(by) ? [['client_id', who.id] as const] : []),
        ...(['form', 'both'].includes(by) ? [['client_secret', who.secret] as const] : []),
      ],
    }));

/** Headers that change the answer, and some that must not. */
export const HEADERS: readonly Record<string, string>[] = [
  { accept: 'text/html' },
  { accept: 'application/token-introspection+jwt' },
  { origin: 'https://app.example' },
  { origin: 'http://localhost:4999' },
  { origin: 'null' },
  { origin: '' },
  { dpop: 'a.b.c' },
  { 'oauth-client-attestation': 'a.b.c' },
  { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-host': 'evil.example', host: 'evil.example' },
  { cookie: 'postern.session=x' },
  { connection: 'close' },
];

export const plain = (pairs: Pairs) => ({
  body: encodePairs(pairs),
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
});

/** What is wrong with the form of a request: nothing mostly. */
export const wrong = () => fc.constantFrom('nothing', 'nothing', 'nothing', 'a parameter', 'the dress');

interface Asked {
  readonly path: string;
  readonly pairs: Pairs;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** The request with that wrong. */
export const sentWith = (what: string, { path, pairs, headers }: Asked): fc.Arbitrary<Sent> =>
  (what === 'a parameter' ? spoiled(fc.constant(pairs)) : fc.constant(pairs)).chain((given) =>
    (what === 'the dress' ? dressed(given) : fc.constant(plain(given))).map((dress) => ({
      method: 'POST',
      path,
      ...dress,
      headers: { ...dress.headers, ...headers } as Record<string, string>,
    })),
  );
