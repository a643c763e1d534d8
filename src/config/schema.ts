import { z } from 'zod';
import { type Duration, days, hours, minutes, networkFault, parseDuration, seconds } from '../lib/index.ts';

const duration = (fallback: Duration, description: string) =>
  z
    .union([z.string(), z.number()])
    .transform((value, ctx): Duration => {
      const parsed = typeof value === 'number' ? seconds(value) : parseDuration(value);
      if (parsed === undefined) {
        ctx.addIssue({ code: 'custom', message: 'must be a length of time such as 30s, 15m, 2h or 7d' });
        return z.NEVER;
      }
      return parsed;
    })
    .prefault(format(fallback))
    .describe(description);

const format = (d: Duration): string =>
  d > 0 && d % days(1) === 0
    ? `${d / days(1)}d`
    : d > 0 && d % hours(1) === 0
      ? `${d / hours(1)}h`
      : d > 0 && d % minutes(1) === 0
        ? `${d / minutes(1)}m`
        : `${d / seconds(1)}s`;

const text = (description: string) => z.string().min(1).max(2000).describe(description);
const whole = (description: string, min: number, max: number) =>
  z.coerce.number().int().min(min).max(max).describe(description);
const list = (description: string) =>
  z
    .union([
      z.array(z.string()),
      z.string().transform((value) =>
        value
          .split(',')
          .map((part) => part.trim())
          .filter(Boolean),
      ),
    ])
    .describe(description);

const HOST_NAME = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

/** Tells of each entry that has a fault, by its place in the list. */
const entriesWithout =
  (faultOf: (entry: string) => string | undefined) =>
  (entries: readonly string[], ctx: z.RefinementCtx): void => {
    for (const [at, entry] of entries.entries()) {
      const fault = faultOf(entry);
      if (fault) ctx.addIssue({ code: 'custom', path: [at], message: `${JSON.stringify(entry)} ${fault}` });
    }
  };

const destinations = list(
  'Host names, addresses and CIDR ranges on private networks that this server may send requests to; all others are refused.',
).superRefine(
  // A name that is all digits and dots is a mistyped address.
  entriesWithout((entry) => (HOST_NAME.test(entry) && !/^[\d.]+$/.test(entry) ? undefined : networkFault(entry))),
);

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether a URL names this machine itself: the only place where plain http is allowed. */
export const isLoopback = (url: URL): boolean => LOOPBACK.has(url.hostname) || url.hostname.endsWith('.localhost');

const issuer = z
  .string()
  .superRefine((value, ctx) => {
    const refuse = (message: string) => ctx.addIssue({ code: 'custom', message });
    const url = URL.parse(value);
    if (!url || !/^https?:$/.test(url.protocol)) return refuse('must be a URL such as https://id.example.com');
    if (url.search || url.hash || url.username) return refuse('must have no query, fragment or user name');
    if (url.pathname !== '/' || value.endsWith('/'))
      return refuse('must be an origin: no path and no slash at its end');
    if (url.protocol === 'http:' && !isLoopback(url))
      return refuse('must be https: plain http is for loopback addresses only');
    if (url.origin !== value) return refuse(`must be written as ${url.origin}`);
  })
  .describe('The address people and applications reach this server by, and the `iss` of every token.');

const databaseUrl = z.string().superRefine((value, ctx) => {
  // The value is a secret, so the mistake is told without it.
  if (!/^postgres(ql)?:\/\/./.test(value) || !URL.canParse(value))
    ctx.addIssue({ code: 'custom', message: 'must be a URL such as postgresql://user:password@host:5432/postern' });
});

const smtpUrl = z.string().superRefine((value, ctx) => {
  // It may hold a password, so the mistake is told without it.
  const url = URL.parse(value);
  if (!url || !/^smtps?:$/.test(url.protocol) || !url.hostname)
    return ctx.addIssue({ code: 'custom', message: 'must be a URL such as smtp://user:password@mail.example.com:587' });
  if (url.search || url.hash || url.pathname.length > 1)
    ctx.addIssue({ code: 'custom', message: 'must end after the port: it takes no path and no options' });
});

/** `no-reply@example.com`, or with a name before it: `Example <no-reply@example.com>`. */
const SENDER =
  /^(?:[^<>"@\p{C}]{1,100} <[^\s<>"@\p{C}]{1,64}@[^\s<>"@\p{C}]{1,189}>|[^\s<>"@\p{C}]{1,64}@[^\s<>"@\p{C}]{1,189})$/u;

const settings = z.strictObject({
  issuer: issuer.prefault('http://localhost:3000'),
  host: text('The address to listen on.').prefault('127.0.0.1'),
  port: whole('The port to listen on; 0 takes any free one and prints it.', 0, 65535).prefault(3000),
  workers: whole('Processes that serve, all on the one port. More than one needs PostgreSQL.', 1, 64).prefault(1),
  data: text('The folder of the file store.').prefault('./data'),
  database_url: databaseUrl
    .optional()
    .describe('A PostgreSQL database (15 or later) that keeps everything instead of the data folder.'),
  database_pool: whole(
    'Connections to the database that each process may open, besides one on which it hears of changes.',
    2,
    100,
  ).prefault(10),
  keys: text('The folder of the master key.').prefault('./keys'),
  master_key: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/, 'must be 32 random bytes in base64url (43 characters)')
    .optional()
    .describe('The master key itself, instead of the one in the keys folder: 32 random bytes in base64url.'),
  trusted_proxies: list('Addresses or CIDR ranges of proxies whose X-Forwarded-For is believed.')
    .superRefine(entriesWithout(networkFault))
    .prefault([]),
  shutdown_delay: duration(
    seconds(0),
    'How long a server that was told to stop goes on as before, while `/readyz` is 503 already: as long as a balancer needs to notice.',
  ),
  ops_port: whole('Loopback port of /healthz, /readyz and /metrics; 0 turns it off.', 0, 65535).prefault(9464),
  ops_host: text('The address the ops listener listens on.').prefault('127.0.0.1'),
  log_level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).describe('How much is logged.').prefault('info'),
  audience: z
    .url('must be a URI such as https://api.example.com')
    .optional()
    .describe('The `aud` of tokens asked for without a resource; `<issuer>/api` unless set.'),
  brand: z
    .strictObject({
      name: text('The name people see.').prefault('Postern'),
      logo: text('A logo file (SVG, PNG, JPEG or WebP) shown on every page.').optional(),
      accent: z
        .string()
        .regex(/^#[0-9a-fA-F]{6}$/, 'must be a colour such as #0b6e4f')
        .describe('The colour of buttons and links.')
        .prefault('#1f5fbf'),
    })
    .prefault({}),
  smtp_url: smtpUrl
    .optional()
    .describe(
      'The mail server, `smtp://` or `smtps://`. Unset: mails are kept as files in the folder `outbox` of the data folder.',
    ),
  mail: z
    .strictObject({
      from: z
        .string()
        .regex(SENDER, 'must be an address such as no-reply@example.com, or Example <no-reply@example.com>')
        .optional()
        .describe('The sender of every mail; `no-reply@` the host of the issuer unless set.'),
      per_address: whole('Mails that may be asked for to one address within an hour.', 1, 1000).prefault(5),
      per_network: whole(
        'Mails that may be asked for from one network (IPv4 /24, IPv6 /56) within an hour.',
        1,
        100_000,
      ).prefault(50),
    })
    .prefault({}),
  sign_up: z
    .enum(['off', 'invitation', 'open'])
    .describe(
      'Who may make an account: whom an operator adds or invites (`off`; `invitation` says so on the sign-in page), or anybody with an e-mail address (`open`).',
    )
    .prefault('off'),
  invitations: duration(days(7), 'How long an invitation is good for.'),
  passwords: z
    .strictObject({
      minimum: whole('Characters a password must have, at least.', 8, 64).prefault(8),
      minimum_alone: whole(
        'The same for people who have nothing else to prove themselves with; NIST SP 800-63B-4 asks for 15.',
        8,
        64,
      ).prefault(8),
    })
    .prefault({}),
  tokens: z
    .strictObject({
      access: duration(minutes(15), 'Lifetime of access tokens.'),
      id: duration(minutes(15), 'Lifetime of ID tokens.'),
      code: duration(seconds(60), 'Lifetime of authorization codes.'),
      refresh_idle: duration(days(7), 'A refresh token unused for this long is over.'),
      refresh_absolute: duration(days(30), 'A sign-in lasts no longer than this, however often it is refreshed.'),
      refresh_retry: duration(
        seconds(30),
        'A refresh repeated within this time with the token just rotated gets the same answer again.',
      ),
    })
    .prefault({}),
  sessions: z
    .strictObject({
      lifetime: duration(
        days(30),
        'How long a browser stays signed in after its last sign-in anywhere; no shorter than `tokens.refresh_absolute`, or it cuts refresh tokens short.',
      ),
      interaction: duration(hours(1), 'How long a sign-in that was begun may take.'),
    })
    .prefault({}),
  second_factor: z
    .enum(['optional', 'operators', 'required'])
    .describe(
      'Who must have a second factor: nobody (`optional`), operators, or everybody (`required`). Whoever has one is always asked for it.',
    )
    .prefault('optional'),
  email_codes: z
    .enum(['off', 'on'])
    .describe(
      'Whether a code that is mailed may stand in for a second factor. Not for operators, and not after a password that was itself set by a mailed link.',
    )
    .prefault('off'),
  signing: z
    .strictObject({
      rotate_after: duration(days(30), 'Age at which the signing key is replaced.'),
      jwks_max_age: duration(
        seconds(60),
        'How long others may cache the JWKS; a new key is published this long (at least 30 s) and ten seconds more before it signs.',
      ),
    })
    .prefault({}),
  guesses: z
    .strictObject({
      account: whole(
        'Wrong passwords for one account, from browsers that never signed in to it, within the window.',
        1,
        10_000,
      ).prefault(10),
      network: whole('Wrong passwords from one network (IPv4 /24, IPv6 /56) within the window.', 1, 100_000).prefault(
        100,
      ),
      window: duration(minutes(15), 'The window; nobody is locked out for longer.'),
    })
    .prefault({}),
  outbound: z
    .strictObject({
      allow: destinations.prefault([]),
      timeout: duration(seconds(5), 'How long another server may take to answer one request of ours.'),
    })
    .prefault({}),
});

/** The file store belongs to one process. */
function needDatabase({ workers, database_url }: z.output<typeof settings>, ctx: z.RefinementCtx): void {
  if (workers > 1 && database_url === undefined)
    ctx.addIssue({
      code: 'custom',
      path: ['workers'],
      message: `${workers} processes need PostgreSQL (database_url, POSTERN_DATABASE_URL): the file store belongs to one`,
    });
}

/** Every setting there is: this schema gives the defaults, `docs/configuration.md` and the JSON Schema for editors. */
export const settingsSchema = settings.superRefine(needDatabase);

export type Settings = z.output<typeof settingsSchema>;
