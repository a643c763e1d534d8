import test from 'ava';
import fc from 'fast-check';
import { FORM_LIMITS, HttpRefusal, parseForm, readForm } from '../../src/http/index.ts';
import { answer, edge } from './support.ts';

const TYPE = 'application/x-www-form-urlencoded';
const PATH = '/interaction/x';
const parse = (text: string) => parseForm(Buffer.from(text, 'latin1'));

const site = () => edge([answer(async (ctx) => ({ ...(await readForm(ctx)) }))]);
const post = (
  s: Awaited<ReturnType<typeof site>>,
  body: string | URLSearchParams,
  type = TYPE,
  headers: Record<string, string> = {},
) => s.get(PATH, { method: 'POST', body, headers: { 'content-type': type, ...headers } });

test('a form of a browser is read as it was typed', async (t) => {
  await using s = await site();
  const typed = { email: 'Zoë+x@example.com', password: ' a&b=c%20"\u2028\u{1F511}+ ', code: '' };
  const response = await post(s, new URLSearchParams(typed));
  t.is(response.status, 200);
  t.deepEqual(await response.json(), typed);
});

test('whatever a browser can encode comes back unchanged', (t) => {
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((s) => !s.includes('\0'));
  const value = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((s) => !s.includes('\0'));
  fc.assert(
    fc.property(fc.dictionary(name, value, { maxKeys: 20 }), (fields) => {
      t.deepEqual({ ...parse(new URLSearchParams(fields).toString()) }, { ...fields });
    }),
  );
});

test('any bytes at all are a form or a 400, and never anything else', (t) => {
  const near = fc.string({ unit: fc.constantFrom(...'ab=&+%0c3f\0\u00ff;'.split('')), maxLength: 60 });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        near.map((s) => new Uint8Array(Buffer.from(s, 'latin1'))),
      ),
      (bytes) => {
        try {
          const form = parseForm(bytes);
          for (const value of Object.values(form)) t.false(value.includes('\0'));
        } catch (error) {
          t.true(error instanceof HttpRefusal && error.status === 400, String(error));
        }
      },
    ),
    { numRuns: 3_000 },
  );
});

test('what is doubled, nameless, broken, NUL or too much is refused and named', (t) => {
  const cases: [string, RegExp][] = [
    ['a=1&a=2', /twice/],
    ['a=1&%61=2', /twice/],
    ['=1', /name/],
    [`${'n'.repeat(65)}=1`, /name/],
    ['a=%', /UTF-8/],
    ['a=%zz', /UTF-8/],
    ['a=%ff', /UTF-8/],
    ['a=%c0%80', /UTF-8/],
    ['a=\u00ff', /UTF-8/],
    ['a=%00', /NUL/],
    ['%00=a', /NUL/],
    [`a=${'x'.repeat(FORM_LIMITS.fieldBytes + 1)}`, /too long/],
    [Array.from({ length: FORM_LIMITS.fields + 1 }, (_, i) => `f${i}=`).join('&'), /fields/],
  ];
  for (const [text, sentence] of cases)
    t.throws(() => parse(text), { instanceOf: HttpRefusal, code: 'bad_form', message: sentence }, text.slice(0, 20));
});

test('the limits themselves are allowed', (t) => {
  t.is(parse(`a=${'x'.repeat(FORM_LIMITS.fieldBytes)}`)['a']?.length, FORM_LIMITS.fieldBytes);
  t.is(Object.keys(parse(Array.from({ length: FORM_LIMITS.fields }, (_, i) => `f${i}=`).join('&'))).length, 32);
});

test('no field is inherited, and none can be changed', (t) => {
  const form = parse('__proto__=a&constructor=b');
  t.deepEqual(Object.keys(form), ['__proto__', 'constructor']);
  t.is(parse('')['constructor'], undefined);
  t.is(parse('')['toString'], undefined);
  t.throws(() => Object.assign(form, { x: '1' }), { instanceOf: TypeError });
});

test('another media type or a compressed body is 415', async (t) => {
  await using s = await site();
  for (const type of [
    'application/json',
    'multipart/form-data; boundary=x',
    'text/plain',
    `${TYPE}; charset=latin1`,
    `${TYPE}x`,
  ])
    t.is((await post(s, 'a=1', type)).status, 415, type);
  t.is((await post(s, 'a=1', TYPE, { 'content-encoding': 'gzip' })).status, 415);
  t.is((await s.get(PATH, { method: 'POST' })).status, 415);
  t.is((await post(s, 'a=1', 'Application/X-WWW-Form-URLencoded;charset="UTF-8"')).status, 200);
});

test('more than 16 KiB is 413, announced or not', async (t) => {
  await using s = await site();
  const large = `a=1&b=${'x'.repeat(FORM_LIMITS.bytes)}`;
  t.is((await post(s, large)).status, 413);
  const head = `POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: ${TYPE}\r\nConnection: close\r\n`;
  const chunk = `${large.length.toString(16)}\r\n${large}\r\n`;
  t.regex(await s.raw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`), /^HTTP\/1\.1 413 /);
});

test('a connection that sent too much is answered and goes on', async (t) => {
  await using s = await site();
  const body = 'x'.repeat(FORM_LIMITS.bytes + 100);
  const first = `POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: ${TYPE}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const second = `POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: ${TYPE}\r\nContent-Length: 3\r\nConnection: close\r\n\r\na=1`;
  const answered = await s.raw(first + second);
  t.deepEqual(answered.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 413', 'HTTP/1.1 200']);
});

test('hostile bytes over a real connection are 400, never 500', async (t) => {
  await using s = await site();
  for (const body of ['a=%00', 'a=%ff', 'a=1&a=2', '=', '%', '\u00ff=\u00fe', 'a=%u1234']) {
    const bytes = Buffer.from(body, 'latin1');
    const head = `POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: ${TYPE}\r\nContent-Length: ${bytes.length}\r\nConnection: close\r\n\r\n`;
    const answered = await s.raw(Buffer.concat([Buffer.from(head), bytes]));
    t.regex(answered, /^HTTP\/1\.1 400 /, body);
    t.regex(answered, /"error":"invalid_request"/, body);
  }
  t.deepEqual(s.of('a bug of the server'), []);
});

test('a sender that leaves in the middle of a form is no error', async (t) => {
  await using s = await site();
  const { connect } = await import('node:net');
  await new Promise<void>((resolve) => {
    const socket = connect(s.listening.port, '127.0.0.1', () => {
      socket.write(`POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: ${TYPE}\r\nContent-Length: 100\r\n\r\na=1`);
      setTimeout(() => socket.destroy(), 50);
    });
    socket.on('close', () => setTimeout(resolve, 100));
  });
  t.deepEqual(
    s.lines().filter((line) => line['level'] === 'error'),
    [],
  );
  t.is((await post(s, 'a=1')).status, 200);
});
