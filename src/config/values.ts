/** What a setting may be: lengths of time, addresses, lists; each with what is told of a mistake. */
import { z } from 'zod';
import { type Duration, days, hours, minutes, networkFault, parseDuration, seconds } from '../lib/index.ts';

/** What ends within a second begins with being over, and dates end before a long enough time is. */
const BOUNDS = { least: seconds(1), most: days(3650) };

const NO_LENGTH = 'must be a length of time such as 30s, 15m, 2h or 7d';

export const duration = (fallback: Duration, description: string, bounds: Partial<typeof BOUNDS> = {}) =>
  z
    // YAML makes a number of what has no unit, which is refused as it is in the environment.
    .string({ error: NO_LENGTH })
    .transform((value, ctx): Duration => {
      const parsed = parseDuration(value);
      if (parsed === undefined) {
        ctx.addIssue({ code: 'custom', message: NO_LENGTH });
        return z.NEVER;
      }
      const { least, most } = { ...BOUNDS, ...bounds };
      if (parsed < least || parsed > most)
        ctx.addIssue({ code: 'custom', message: `must be from ${format(least)} to ${format(most)}` });
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

export const text = (description: string) => z.string().min(1).max(2000).describe(description);

/** Digits may be a text, as they are in the environment. Nothing else is a number: an empty value would be 0, which turns things off. */
export const whole = (description: string, min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  const number = z.int({ error }).min(min, { error }).max(max, { error });
  return z.preprocess(digitsAsNumber, number).describe(description);
};

const digitsAsNumber = (value: unknown): unknown =>
  typeof value === 'string' && /^-?\d+$/.test(value.trim()) ? Number(value) : value;

export const list = (description: string) =>
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
export const entriesWithout =
  (faultOf: (entry: string) => string | undefined) =>
  (entries: readonly string[], ctx: z.RefinementCtx): void => {
    for (const [at, entry] of entries.entries()) {
      const fault = faultOf(entry);
      if (fault) ctx.addIssue({ code: 'custom', path: [at], message: `${JSON.stringify(entry)} ${fault}` });
    }
  };

export const destinations = list(
  'Host names, addresses and CIDR ranges on private networks that this server may send requests to; all others are refused.',
).superRefine(
  // A name that is all digits and dots is a mistyped address.
  entriesWithout((entry) => (HOST_NAME.test(entry) && !/^[\d.]+$/.test(entry) ? undefined : networkFault(entry))),
);

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether a URL names this machine itself: the only place where plain http is allowed. */
export const isLoopback = (url: URL): boolean => LOOPBACK.has(url.hostname) || url.hostname.endsWith('.localhost');

export const issuer = z
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
  .describe(
    'The address people and applications reach this server by, and the `iss` of every token. Unset, it follows `port`.',
  );

export const databaseUrl = z.string().superRefine((value, ctx) => {
  // The value is a secret, so the mistake is told without it.
  if (!/^postgres(ql)?:\/\/./.test(value) || !URL.canParse(value))
    ctx.addIssue({ code: 'custom', message: 'must be a URL such as postgresql://user:password@host:5432/postern' });
});

export const smtpUrl = z.string().superRefine((value, ctx) => {
  // It may hold a password, so the mistake is told without it.
  const url = URL.parse(value);
  if (!url || !/^smtps?:$/.test(url.protocol) || !url.hostname)
    return ctx.addIssue({ code: 'custom', message: 'must be a URL such as smtp://user:password@mail.example.com:587' });
  if (url.search || url.hash || url.pathname.length > 1)
    ctx.addIssue({ code: 'custom', message: 'must end after the port: it takes no path and no options' });
  if (!isDecodable(url.username) || !isDecodable(url.password))
    ctx.addIssue({ code: 'custom', message: 'must have each % of its user name and password written as %25' });
});

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

export const audience = z
  .url('must be a URI such as https://api.example.com')
  .refine((value) => !value.includes('#'), 'must have no fragment (RFC 8707 §2)');

/** `no-reply@example.com`, or with a name before it: `Example <no-reply@example.com>`. */
export const SENDER =
  /^(?:[^<>"@\p{C}]{1,100} <[^\s<>"@\p{C}]{1,64}@[^\s<>"@\p{C}]{1,189}>|[^\s<>"@\p{C}]{1,64}@[^\s<>"@\p{C}]{1,189})$/u;
