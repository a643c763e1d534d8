import { z } from 'zod';
import { days, hours, milliseconds, minutes, networkFault, seconds } from '../lib/index.ts';
import {
  audience,
  databaseUrl,
  destinations,
  duration,
  entriesWithout,
  issuer,
  list,
  SENDER,
  smtpUrl,
  text,
  whole,
} from './values.ts';

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
    { least: 0, most: hours(1) },
  ),
  ops_port: whole('Loopback port of /healthz, /readyz and /metrics; 0 turns it off.', 0, 65535).prefault(9464),
  ops_host: text('The address the ops listener listens on.').prefault('127.0.0.1'),
  log_level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).describe('How much is logged.').prefault('info'),
  audience: audience
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
  registration: z
    .enum(['off', 'token', 'open'])
    .describe(
      'Which applications may register themselves (RFC 7591): none, those with a token of `postern registration add`, or any (`open`).',
    )
    .prefault('token'),
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
        { least: 0, most: days(1) },
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
      rotate_after: duration(days(30), 'Age at which the signing key is replaced.', { least: minutes(1) }),
      jwks_max_age: duration(
        seconds(60),
        'How long others may cache the JWKS; a new key is published this long (at least 30 s) and ten seconds more before it signs.',
        { least: 0, most: days(1) },
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
      timeout: duration(seconds(5), 'How long another server may take to answer one request of ours.', {
        least: milliseconds(100),
        most: hours(1),
      }),
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

/** Refresh tokens have the issuer as their audience, so that no API takes one for an access token. */
function needAudienceOfItsOwn({ audience, issuer }: z.output<typeof settings>, ctx: z.RefinementCtx): void {
  if (audience !== undefined && URL.parse(audience)?.href === URL.parse(issuer)?.href)
    ctx.addIssue({
      code: 'custom',
      path: ['audience'],
      message: 'is this server itself: an API needs a URI of its own',
    });
}

/** Every setting there is: this schema gives the defaults, `docs/configuration.md` and the JSON Schema for editors. */
export const settingsSchema = settings.superRefine(needDatabase).superRefine(needAudienceOfItsOwn);

export type Settings = z.output<typeof settingsSchema>;
