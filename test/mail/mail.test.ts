import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import PostalMime from 'postal-mime';
import type { SMTPServerOptions } from 'smtp-server';
import { type Letter, type LetterName, parseEmail, Undeliverable } from '../../src/domain/index.ts';
import { accentColours } from '../../src/http/index.ts';
import { minutes, silent } from '../../src/lib/index.ts';
import { mailHandler } from '../../src/mail/index.ts';
import { supportedLocales } from '../../src/words/index.ts';
import en from '../../views/messages/en.json' with { type: 'json' };
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { until } from '../support/until.ts';

const ISSUER = 'https://id.example.com';
const LINK = `${ISSUER}/account/reset?token=${'a'.repeat(43)}`;
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);
const NAMES = [...new Set(Object.keys(en).flatMap((key) => /^mail\.([\w-]+)\.subject$/.exec(key)?.[1] ?? []))];

let server: MailServer;
test.before(async () => {
  server = await startMailServer();
});
test.after.always(() => server.close());

const letterTo = (to: string, more: Partial<Letter> = {}): Letter => ({
  name: 'reset-password',
  to,
  locale: 'en',
  link: LINK,
  goodFor: minutes(30),
  ...more,
});

interface Options {
  readonly url?: string | undefined;
  readonly name?: string;
  readonly from?: string;
  readonly logo?: { type: string; body: Buffer };
  readonly data?: string;
}

function handler({ url, name = 'Riverside', from, logo, data = '/nowhere' }: Options) {
  return mailHandler({
    settings: { issuer: ISSUER, data, smtp_url: url, mail: { from } },
    look: { name, colours: accentColours('#0b6e4f'), logo },
    log: silent,
  });
}

const about = (signal: AbortSignal = AbortSignal.timeout(20_000)) => ({ reference: 'reference', attempt: 1, signal });

const send = (letter: Letter, options: Options = {}) => handler({ url: server.url, ...options })(letter, about());

test('every letter says the same in plain text and in HTML, in every language', async (t) => {
  t.true(NAMES.length >= 10);
  for (const locale of supportedLocales) {
    for (const name of NAMES as LetterName[]) {
      const to = `${name}.${locale}@example.com`;
      const code = name === 'email-code' ? '12345678' : undefined;
      await send(letterTo(to, { name, locale, ...(code && { code }) }));
      const { subject, text = '', html = '', recipients, from } = await server.next(to);
      t.deepEqual(recipients, [to]);
      t.is(from?.name, 'Riverside');
      t.is((from as { address?: string }).address, 'no-reply@id.example.com');
      t.truthy(subject);
      t.notRegex(text + html, /undefined|\[object|\{\w+\}/, `${name} ${locale}`);
      t.true(html.includes(`<html lang="${locale}" dir="ltr">`));
      const read = html
        .replace(/<style>[\s\S]*?<\/style>|<[^>]+>/g, ' ')
        .replaceAll('&amp;', '&')
        .replaceAll('&#39;', "'");
      for (const line of text.split('\n').filter((line) => line.trim() && line.trim() !== '--'))
        t.true(read.includes(line.trim().replace(/:$/, '')), `${name} ${locale}: ${line}`);
      t.regex(html, /cid:logo@postern/);
    }
  }
});

test('the link comes whole, once in the text and as the only address that the button leads to', async (t) => {
  await send(letterTo('whole@example.com'));
  const { text = '', html = '', link } = await server.next('whole@example.com');
  t.is(link?.href, LINK);
  t.deepEqual([...new Set([...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href))], [LINK]);
  t.is(text.split(LINK).length, 2);
});

test('no mail fetches anything when it is read', async (t) => {
  await send(letterTo('quiet@example.com'));
  const { html = '' } = await server.next('quiet@example.com');
  t.deepEqual(
    [...html.matchAll(/(?:src|background)="([^"]*)"/g)].map(([, src]) => src),
    ['cid:logo@postern'],
  );
  t.notRegex(html, /url\(|@import|<script|<link|\son\w+=/i);
});

test('the operator’s name, sender and logo are in the mail; a logo that mail programs cannot show is left out', async (t) => {
  await send(letterTo('logo@example.com'), {
    from: 'Riverside Library <desk@riverside.example>',
    logo: { type: 'image/png', body: PNG },
  });
  const mail = await server.next('logo@example.com');
  t.deepEqual(mail.from, { name: 'Riverside Library', address: 'desk@riverside.example' } as never);
  t.is(mail.attachments[0]?.contentId, '<logo@postern>');
  t.deepEqual(Buffer.from(mail.attachments[0]!.content as ArrayBuffer), PNG);
  await send(letterTo('svg@example.com'), { logo: { type: 'image/svg+xml', body: Buffer.from('<svg/>') } });
  const plain = await server.next('svg@example.com');
  t.deepEqual(plain.attachments, []);
  t.notRegex(plain.html ?? '', /cid:/);
});

test('two attempts at one mail carry the same Message-ID, and machines are asked not to answer', async (t) => {
  await send(letterTo('twice@example.com'));
  await send(letterTo('twice@example.com'));
  const [one, two] = [await server.next('twice@example.com'), await server.next('twice@example.com')];
  t.is(one.messageId, '<reference@id.example.com>');
  t.is(two.messageId, one.messageId);
  t.regex(one.raw, /^Auto-Submitted: auto-generated\r$/m);
});

/** Addresses as an attacker writes them. */
const WRITTEN = [
  'a@b.example\r\nBcc: victim@evil.example',
  'a@b.example\nSubject: x',
  'a@b.example\r\n.\r\nMAIL FROM:<x@y>',
  'a@b.example%0d%0aBcc:x@y.example',
  'a@b.example,victim@evil.example',
  'a@b.example;victim@evil.example',
  'victim@evil.example <a@b.example>',
  '"a b"@b.example',
  '"a\r\nBcc: x"@b.example',
  'group: a@b.example, c@d.example;',
  'a@b.example(comment)',
  '<a@b.example>',
  'a@b.example SIZE=1',
  '@relay.example:a@b.example',
  'ünïcödé@bücher.example',
  '=?utf-8?q?x?=@b.example',
  `${'x'.repeat(64)}@${'y'.repeat(185)}.ex`,
  `${'x'.repeat(10_000)}@example.com`,
  'a@\u2028b.example',
  'a\u0000@b.example',
  '-oQ/tmp@b.example',
];
const hostile = fc.oneof(
  fc.emailAddress(),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.tuple(fc.string({ unit: 'grapheme', maxLength: 80 }), fc.domain()).map(([local, domain]) => `${local}@${domain}`),
  fc.constantFrom(...WRITTEN),
);

test('whatever address is given, a mail goes to that one address or to nobody, and its headers are ours', async (t) => {
  // Of its own: what is counted here nobody else may send.
  const own = await startMailServer();
  const deliver = handler({ url: own.url });
  let sent = 0;
  await fc.assert(
    fc.asyncProperty(hostile, async (text) => {
      let email: string;
      try {
        email = parseEmail(text).email;
      } catch {
        return;
      }
      const before = own.mails.length;
      try {
        await deliver(letterTo(email), about());
      } catch (error) {
        if (own.mails.length !== before || !(error instanceof Error)) throw error;
        return;
      }
      sent++;
      const mail = own.mails.at(-1)!;
      const [header = ''] = mail.raw.split('\r\n\r\n', 1);
      const names = header.split(/\r\n(?![ \t])/).map((line) => line.slice(0, line.indexOf(':')).toLowerCase());
      if (own.mails.length !== before + 1 || mail.recipients.length !== 1 || (mail.to?.length ?? 0) !== 1)
        throw new Error(`it went to ${mail.recipients}`);
      if (names.toSorted().join() !== OUR_HEADERS.join()) throw new Error(`headers: ${names}`);
      const [local, domain] = mail.recipients[0]!.split(/@(?=[^@]*$)/);
      if (local !== email.split('@')[0] || !domain) throw new Error(`${mail.recipients[0]} is not ${email}`);
    }),
    { numRuns: 90, examples: WRITTEN.map((text) => [text]) },
  );
  await own.close();
  t.log(`${sent} mails sent`);
  t.true(sent > 20);
});

const OUR_HEADERS = [
  'auto-submitted',
  'content-type',
  'date',
  'from',
  'message-id',
  'mime-version',
  'subject',
  'to',
  'x-auto-response-suppress',
];

test('a hostile name of the server is shown as it is, and is no markup and no header', async (t) => {
  const name = 'Evil\r\nBcc: x@y.example <b>&"\u202E';
  await send(letterTo('brand@example.com'), { name });
  const mail = await server.next('brand@example.com');
  t.deepEqual(mail.recipients, ['brand@example.com']);
  t.notRegex(mail.raw, /^Bcc:/m);
  t.notRegex(mail.html ?? '', /<b>|\u202E/);
});

test('a server that refuses the address for good is not asked again; every other failure is for later', async (t) => {
  const answering = (responseCode: number) =>
    startMailServer({
      onRcptTo: (_address, _session, callback) => callback(Object.assign(new Error('no'), { responseCode })),
    });
  for (const [code, final] of [
    [550, true],
    [450, false],
  ] as const) {
    const refusing = await answering(code);
    const error = await t.throwsAsync(send(letterTo('no@example.com'), { url: refusing.url }));
    t.is(error instanceof Undeliverable, final, String(code));
    await refusing.close();
  }
  const down = await startMailServer();
  await down.close();
  t.false((await t.throwsAsync(send(letterTo('down@example.com'), { url: down.url }))) instanceof Undeliverable);
});

test('a server that refuses us, whoever the mail is to, is asked again: the operator will mend it', async (t) => {
  const refusal = (responseCode: number, words: string) => Object.assign(new Error(words), { responseCode });
  const servers: readonly SMTPServerOptions[] = [
    { onMailFrom: (_address, _session, callback) => callback(refusal(550, '5.7.1 Sender address rejected')) },
    { onMailFrom: (_address, _session, callback) => callback(refusal(530, '5.7.0 Authentication required')) },
    { onRcptTo: (_address, _session, callback) => callback(refusal(530, 'Authentication required')) },
    { onRcptTo: (_address, _session, callback) => callback(refusal(554, '5.7.1 Relay access denied')) },
  ];
  for (const options of servers) {
    const refusing = await startMailServer(options);
    const error = await t.throwsAsync(send(letterTo('later@example.com'), { url: refusing.url }));
    t.false(error instanceof Undeliverable, error.message);
    await refusing.close();
  }
});

test('a server that never answers is let go of when nobody waits any more', async (t) => {
  const sockets: Socket[] = [];
  const patience = new AbortController();
  const silentServer = createServer((socket) => {
    sockets.push(socket);
    patience.abort();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => silentServer.once('listening', resolve));
  const { port } = silentServer.address() as { port: number };
  await t.throwsAsync(
    handler({ url: `smtp://127.0.0.1:${port}` })(letterTo('slow@example.com'), about(patience.signal)),
  );
  await until(() => sockets.every((socket) => socket.destroyed || socket.readableEnded));
  t.is(sockets.length, 1);
  for (const socket of sockets) socket.destroy();
  silentServer.close();
});

test('a password is sent over TLS that was checked, or not at all', async (t) => {
  let tried = 0;
  const strange = await startMailServer({
    disabledCommands: [],
    authOptional: true,
    onAuth(_auth, _session, callback) {
      tried++;
      callback(null, { user: 'x' });
    },
  });
  // An address that is not loopback's by its name: nothing is assumed of the way there.
  const away = strange.url.replace('smtp://127.0.0.1', 'smtp://user:secret@0.0.0.0');
  await t.throwsAsync(send(letterTo('tls@example.com'), { url: away }));
  t.is(tried, 0);
  // Without a password the mail is worth more than the certificate.
  await send(letterTo('tls@example.com'), { url: strange.url.replace('127.0.0.1', '0.0.0.0') });
  t.is(strange.mails.length, 1);
  await strange.close();
});

test('user and password of the URL are used as they were meant, whatever signs they hold', async (t) => {
  const seen: unknown[] = [];
  const asking = await startMailServer({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth({ username, password }, _session, callback) {
      seen.push([username, password]);
      callback(null, { user: 'x' });
    },
  });
  await send(letterTo('auth@example.com'), { url: asking.url.replace('//', '//me%40example.com:p%2Fs%3Aw%20%C3%BC@') });
  t.deepEqual(seen, [['me@example.com', 'p/s:w ü']]);
  await asking.close();
});

test('without a mail server every mail is a file for its owner alone, and the log names it but not its link', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'postern-outbox-'));
  const lines: string[] = [];
  const deliver = mailHandler({
    settings: { issuer: ISSUER, data, mail: {} },
    look: { name: 'Riverside', colours: accentColours('#0b6e4f') },
    log: { ...silent, info: (details, message) => void lines.push(`${message} ${JSON.stringify(details)}`) },
  });
  await deliver(letterTo('file@example.com'), about());
  const [file = '', ...more] = readdirSync(join(data, 'outbox'));
  t.deepEqual(more, []);
  t.regex(file, /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.reset-password\.refere\.eml$/);
  t.is(statSync(join(data, 'outbox')).mode & 0o777, 0o700);
  t.is(statSync(join(data, 'outbox', file)).mode & 0o777, 0o600);
  const raw = readFileSync(join(data, 'outbox', file), 'utf8');
  t.true(raw.includes(LINK), 'somebody who opens it can copy the link');
  const mail = await PostalMime.parse(raw);
  t.is(mail.to?.[0]?.address, 'file@example.com');
  t.true(mail.text?.includes(LINK));
  t.true(lines[0]?.includes(file));
  t.notRegex(lines.join(), /token=|aaaa/);
  rmSync(data, { recursive: true });
});
