import { request } from 'node:http';
import fc from 'fast-check';
import { keepingAgent } from './idle-connections.ts';

/** Parameters in their order, so that a name may stand there twice. Values are sent percent-encoded. */
export type Pairs = readonly (readonly [name: string, value: string | Raw])[];

/** Bytes of a query or form as they are, encoded by nobody. */
interface Raw {
  readonly raw: string;
}

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query?: Pairs;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** A lone surrogate has no UTF-8; some encoders write it nevertheless. */
const encode = (text: string): string =>
  text.isWellFormed() ? encodeURIComponent(text) : `${encodeURIComponent(text.toWellFormed())}%ED%A0%80`;

export const encodePairs = (pairs: Pairs): string =>
  pairs.map(([name, value]) => `${encode(name)}=${typeof value === 'string' ? encode(value) : value.raw}`).join('&');

const agent = keepingAgent({ maxSockets: 4 });

/** Sends what fetch would not: any header, doubled ones too, and any bytes of a query. */
export function send(origin: string, { method, path, query = [], headers = {}, body }: Sent): Promise<Reply> {
  const url = new URL(origin);
  const target = query.length ? `${path}?${encodePairs(query)}` : path;
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const req = request(
      { host: url.hostname, port: url.port, method, path: target, headers: { ...length, ...headers }, agent },
      (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('error', reject);
        res.on('end', () =>
          resolve({ status: res.statusCode ?? 0, headers: res.headers, text: Buffer.concat(chunks).toString('utf8') }),
        );
      },
    );
    req.on('error', reject);
    req.end(body);
  });
}

const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** JWTs that are none, or are not signed by whom they should be. */
export const BAD_JWTS: readonly string[] = [
  '..',
  'a.b.c',
  'e30.e30.',
  `${b64({ alg: 'none' })}.${b64({ sub: 'x', aud: 'x', exp: 9e15 })}.`,
  `${b64({ alg: 'HS256', typ: 'at+jwt' })}.${b64({ jti: 'x' })}.${b64('sig')}`,
  `${b64({ alg: 'RS256', kid: '__proto__', typ: 'rt+jwt' })}.${b64({ jti: '__proto__' })}.AAAA`,
  `${b64({ alg: 'RS256', crit: ['x'], x: 1 })}.${b64({})}.AAAA`,
  `${b64({ alg: 'RS256' })}.${b64(null)}.AAAA`,
  `${b64({ alg: 'RS256' })}.${b64([])}.AAAA`,
  `${b64({ alg: 'RS256' })}.${b64({ sub: { a: 1 }, aud: ['x', 1, null], exp: 'soon', iss: 5 })}.AAAA`,
  `${b64(null)}.${b64({ aud: 'x' })}.AAAA`,
  `${b64({ alg: ['RS256'], kid: 7, typ: {} })}.${b64({ aud: 'x' })}.AAAA`,
  `${b64({ alg: 'RS256', jwk: { kty: 'RSA', n: 'AQ', e: 'AQ' }, typ: 'dpop+jwt' })}.${b64({ jti: 1 })}.AAAA`,
  `${b64({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.a.b.c.d`,
  `${b64({ alg: 'RS256' })}.${'A'.repeat(5000)}.AAAA`,
];

const TEXTS: readonly string[] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\uD800',
  '\uDC00x',
  '\u202Egnp.exe',
  '🔐'.repeat(20),
  'x'.repeat(801),
  'x'.repeat(3000),
  '__proto__',
  'constructor',
  'toString',
  'null',
  'undefined',
  'NaN',
  '-1',
  '1e999',
  '9'.repeat(40),
  '[]',
  '{"__proto__":{"a":1}}',
  "' OR 1=1 --",
  '<script>alert(1)</script>',
  '"><img src=x>',
  '../../etc/passwd',
  '%00',
  '\r\nSet-Cookie: a=b',
  'javascript:alert(1)',
  'data:text/html,x',
  'https://evil.example/',
  '//evil.example/',
  'https://api.example/#fragment',
  'urn:ietf:params:oauth:request_uri:',
  'urn:ietf:params:oauth:request_uri:__proto__',
  'none login',
  'consent  login',
  'fragment',
  'form_post',
  'code token',
  'plain',
  'offline_access',
  'openid "quoted"',
];

const RAW: readonly Raw[] = ['%', '%ZZ', '%00', '%C0%AF', '%ED%A0%80', '%FF', '+', 'a=b=c', 'a;b'].map((raw) => ({
  raw,
}));

const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'x'.repeat(300), '', 'a[]', 'id', 'request'];

export const hostileText = (): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...TEXTS) },
    { weight: 2, arbitrary: fc.constantFrom(...BAD_JWTS) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  );

type Change = (pairs: Pairs) => Pairs;

/** One thing done to honest parameters. */
const change = (): fc.Arbitrary<Change> => {
  const at = fc.nat(99);
  const value = fc.oneof({ weight: 6, arbitrary: hostileText() }, { weight: 1, arbitrary: fc.constantFrom(...RAW) });
  const each = (edit: (pair: Pairs[number]) => Pairs) => (i: number) => (pairs: Pairs) =>
    pairs.flatMap((pair, j) => (j === i % pairs.length ? edit(pair) : [pair]));
  return fc.oneof(
    { weight: 2, arbitrary: at.map(each(() => [])) },
    { weight: 2, arbitrary: at.map(each((pair) => [pair, pair])) },
    {
      weight: 6,
      arbitrary: fc.tuple(at, value).map(([i, given]) => each(([name]) => [[name, given]])(i)),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(at, fc.constantFrom('[]', '[0]', '[a]', '.', ' ', '\0'))
        .map(([i, tail]) => each(([name, kept]) => [[name + tail, kept]])(i)),
    },
    { weight: 1, arbitrary: at.map(each(([name, kept]) => [[name.toUpperCase(), kept]])) },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.constantFrom(...NAMES), value).map(
        ([name, given]): Change =>
          (pairs) => [...pairs, [name, given]],
      ),
    },
  );
};

/** Honest parameters with one to three things wrong. */
export const spoiled = (honest: fc.Arbitrary<Pairs>): fc.Arbitrary<Pairs> =>
  fc
    .tuple(honest, fc.array(change(), { minLength: 1, maxLength: 3 }))
    .map(([pairs, changes]) => changes.reduce((so_far, next) => next(so_far), pairs));

const FORM = 'application/x-www-form-urlencoded';

/** A form, or the same fields in a dress that forms do not have. */
export const dressed = (pairs: Pairs): fc.Arbitrary<Pick<Sent, 'body' | 'headers'>> => {
  const form = encodePairs(pairs);
  const fields = pairs.map(([name, value]) => [name, typeof value === 'string' ? value : value.raw]);
  const json = JSON.stringify(Object.fromEntries(fields));
  const parts = fields.map(([n, v]) => `--b\r\ncontent-disposition: form-data; name="${n}"\r\n\r\n${v}\r\n`).join('');
  const as = (type: string | string[] | undefined, body: string, more: Record<string, string> = {}) => ({
    body,
    headers: { ...(type && { 'content-type': type }), ...more },
  });
  return fc.oneof(
    { weight: 12, arbitrary: fc.constant(as(FORM, form)) },
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        as('application/json', json),
        as(FORM, json),
        as('multipart/form-data; boundary=b', `${parts}--b--\r\n`),
        as('text/plain', form),
        as(undefined, form),
        as(`${FORM}; charset=utf-16`, form),
        as(`${FORM}; charset=nonsense`, form),
        as(FORM, form, { 'content-encoding': 'gzip' }),
        as([FORM, 'application/json'], form),
        as(FORM, `${form}&x=${'y'.repeat(60_000)}`),
        as(FORM, `${form}${'&a=b'.repeat(2000)}`),
      ),
    },
  );
};

/** One of four times; else null. (`fc.option` with `freq: 1` is null always.) */
export const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });
