import { randomBytes } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { createLogger } from '../../src/http/index.ts';
import { redact, redactText } from '../../src/http/redact.ts';
import { logBook } from './support.ts';

/** As our own secrets look: 256 random bits in base64url. */
const secret = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('base64url'))
  .filter((s) => /[a-z]/.test(s) && /[A-Z]/.test(s) && /\d/.test(s));
/** As a person's password may look: nothing tells it from a word. */
const password = fc
  .string({ unit: fc.constantFrom(...'abcXYZ019!$*+,.;|~^'.split('')), minLength: 8, maxLength: 24 })
  .map((s) => `Pw9${s.replace(/[,;]/g, '_')}`);

const NAMES = [
  'password',
  'new_password',
  'client_secret',
  'refresh_token',
  'access_token',
  'id_token_hint',
  'authorization',
  'Cookie',
  'set-cookie',
  'code',
  'code_verifier',
  'client_assertion',
  'user_code',
  'recoveryCodes',
  'otp',
  'csrf',
  'xsrf',
  'sessionId',
  'jti',
  'api_key',
  'privateKey',
  'masterKey',
  'DPoP',
  'passwd',
];

function write(log: (logger: ReturnType<typeof createLogger>) => void): string {
  const book = logBook('debug');
  log(book.logger);
  for (const line of book.raw) JSON.parse(line);
  return book.raw.join('');
}

test('a secret under a telling name is never written, however deep and in whatever shape', (t) => {
  const nest = fc.constantFrom<(name: string, value: string) => object>(
    (name, value) => ({ [name]: value }),
    (name, value) => ({ a: [{ b: { [name]: [value] } }] }),
    (name, value) => ({ [name]: { inner: value } }),
    (name, value) => ({ headers: { [name]: value }, list: [1, { [name]: value }] }),
    (name, value) => Object.assign(Object.create(null), { [name]: value }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...NAMES), fc.oneof(secret, password), nest, (name, value, shape) => {
      const text = write((logger) => {
        logger.info(shape(name, value), 'x');
        logger.child(shape(name, value)).child(shape(name, value)).info('y');
        logger.error({ err: new Error('z', { cause: shape(name, value) }) }, 'z');
      });
      t.false(text.includes(value), text);
    }),
    { numRuns: 400 },
  );
});

test('a random value of 256 bits is never written, wherever it stands', (t) => {
  const place = fc.constantFrom<(logger: ReturnType<typeof createLogger>, value: string) => void>(
    (logger, value) => logger.info({}, `no row ${value} here`),
    (logger, value) => logger.info({ note: value }, 'x'),
    (logger, value) => logger.info({ [value]: 1 }, 'x'),
    (logger, value) => logger.error(new Error(value)),
    (logger, value) => logger.error({ err: new Error(value) }),
    (logger, value) => logger.error({ err: new Error('a', { cause: new Error(value) }) }, 'x'),
    (logger, value) => logger.error({ err: new AggregateError([new Error(value)], 'a') }, 'x'),
    (logger, value) =>
      logger.error({ err: Object.assign(new Error('a'), { response: { body: value }, code: value }) }, 'x'),
    (logger, value) => logger.info('told %s and %o', value, { value }),
    (logger, value) => logger.info({ list: [[value]], map: new Map([[value, value]]), set: new Set([value]) }, 'x'),
    (logger, value) => logger.info({ bytes: Buffer.from(value), url: new URL(`https://a.example/?x=${value}`) }, 'x'),
    (logger, value) => logger.info({ url: new URL(`https://${value}@a.example/`) }, 'x'),
  );
  fc.assert(
    fc.property(secret, place, (value, log) => {
      const text = write((logger) => log(logger, value));
      t.false(text.includes(value), text);
      t.true(text.length > 0);
    }),
    { numRuns: 400 },
  );
});

test('a password is never written in any text that says it is one', (t) => {
  const phrase = fc.constantFrom<(value: string) => string>(
    (v) => `POST failed: email=a@b.c&password=${encodeURIComponent(v)}&x=1`,
    (v) => `body {"password":"${v}","x":1}`,
    (v) => `password: ${v}`,
    (v) => `Authorization: Basic ${Buffer.from(v).toString('base64')}`,
    (v) => `authorization Bearer ${v.replace(/[^\w]/g, '-')}`,
    (v) => `GET /callback?code=${encodeURIComponent(v)}#x`,
    (v) => `https://user:${encodeURIComponent(v)}@db.example/x`,
    (v) => `postgres://postern:${encodeURIComponent(v)}@db/x?ssl=1`,
    (v) => `client_secret='${v}'`,
  );
  fc.assert(
    fc.property(password, phrase, (value, say) => {
      const text = write((logger) => {
        logger.info({}, say(value));
        logger.info({ detail: say(value) }, 'x');
        logger.error({ err: new Error(say(value)) }, 'x');
        logger.info('said password=%s', value);
      });
      for (const form of [value, encodeURIComponent(value), Buffer.from(value).toString('base64')])
        t.false(text.includes(form), text);
    }),
    { numRuns: 300 },
  );
});

test('a JWT is never written, whole or without its signature', (t) => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const jwt = `${part({ alg: 'RS256', typ: 'at+jwt' })}.${part({ sub: 'usr_1' })}.${randomBytes(256).toString('base64url')}`;
  for (const text of [jwt, `bad token (${jwt})`, jwt.slice(0, jwt.lastIndexOf('.') + 1)])
    t.false(redactText(text).includes(part({ sub: 'usr_1' })), text);
});

test('what an operator needs stays readable', (t) => {
  for (const text of [
    'the store is unavailable',
    'port 3000 on 127.0.0.1 is in use by another program',
    'connect ECONNREFUSED 127.0.0.1:5432',
    'usr_0123456789abcdefghijkl was disabled',
    'https://app.example.com/callback',
    'why? because',
    '    at answer (file:///srv/postern/src/http/failures.ts:56:11)',
  ])
    t.is(redactText(text), text);
  t.is(redactText('GET https://a.example/cb?code=1&state=2 failed'), 'GET https://a.example/cb?… failed');
  const kid = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs';
  t.deepEqual(redact({ kid, client_id: 'cli_1', status: 503, ok: true, at: new Date(0), none: null }), {
    kid,
    client_id: 'cli_1',
    status: 503,
    ok: true,
    at: '1970-01-01T00:00:00.000Z',
    none: null,
  });
});

test('circles, depth, bulk and foreign objects come to an end', (t) => {
  const circle: Record<string, unknown> = { a: 1 };
  circle['self'] = circle;
  circle['list'] = [circle];
  t.deepEqual(redact(circle), { a: 1, self: '[…]', list: ['[…]'] });
  const cause = new Error('a');
  cause.cause = cause;
  t.notThrows(() => redact(cause));
  let deep: object = {};
  for (let i = 0; i < 10_000; i++) deep = { deep };
  t.true(JSON.stringify(redact(deep)).length < 200);
  t.is((redact(Array.from({ length: 1e5 }, () => 1)) as unknown[]).length, 100);
  t.deepEqual(redact({ a: new (class Session {})(), b: () => 1, c: 1n, d: Symbol('s'), e: new Date(Number.NaN) }), {
    a: '[object]',
    b: '[function]',
    c: '1',
    d: 'Symbol(s)',
    e: 'Invalid Date',
  });
});

test('hostile text costs no time', (t) => {
  for (const piece of [
    'a',
    '/',
    'a-',
    'eyJ',
    'eyJaaaaaaaaa.',
    'code=',
    'code="',
    'password ',
    'a://',
    '://',
    '?',
    '-eyJ',
    'Bearer ',
    '_',
    '@',
  ]) {
    const began = process.threadCpuUsage();
    redactText(piece.repeat(200_000 / piece.length));
    const took = process.threadCpuUsage(began).user / 1000;
    t.true(took < 250, `${piece}: ${took}`);
  }
});

test('a line is JSON with level, time and msg, and a level below the setting is not written', (t) => {
  const book = logBook();
  book.logger.debug({}, 'quiet');
  book.logger.warn({ a: 1 }, 'loud');
  book.logger.info('100% of %s', 'it');
  book.logger.error(new Error('boom'));
  const [loud, formatted, boom] = book.lines();
  t.is(book.raw.length, 3);
  t.like(loud, { level: 'warn', a: 1, msg: 'loud' });
  t.regex(String(loud?.['time']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  t.is(formatted?.msg, '100% of it');
  t.like(boom, { level: 'error', msg: 'boom', err: { type: 'Error', message: 'boom' } });
  t.true(book.raw.every((line) => line.endsWith('}\n') && !line.slice(0, -1).includes('\n')));
});

test('silent writes nothing', (t) => {
  const lines: string[] = [];
  createLogger({ level: 'silent', destination: { write: (line) => void lines.push(line) } }).error({}, 'x');
  t.deepEqual(lines, []);
});
