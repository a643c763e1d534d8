const MASK = '[hidden]';

/** Names under which a secret may come into a log line, wherever in it. An error's own `code` is exempt below. */
const SECRET_NAME =
  /pass(word|wd|phrase)?$|secret|token|cookie|authorization|^code$|(auth|user|device|recovery|authorization)_?codes?$|code_?verifier|assertion|credential|^otp$|totp|csrf|xsrf|session_?id|^jti$|api_?key|private|master|^dpop$|^proof$/i;

/** Names of values that look random and are public: a key is known by its thumbprint. */
const PUBLIC_NAME = /^(kid|client_?id)$/i;

const JWT = /\beyJ[\w-]{8,}\.[\w-]+(\.[\w-]*){0,3}/g;
const SCHEME = /\b(Bearer|Basic|DPoP)\s+[\w.~+/=-]+/gi;
const WORD = /[^\s"'<>]+/g;
const USERINFO = /:\/\/[^\s/@"'<>]+@/g;
const PAIR =
  /((?:pass(?:word|wd|phrase)?|secret|token|cookie|code|verifier|assertion|csrf|xsrf)s?["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s&"',;}]+)/gi;

/** A run of so many characters, of all kinds, is no word of ours but a random value: 240 bits in base64url and more. */
const RANDOM = /[\w-]{40,}/g;
const isRandom = (run: string): boolean => /[a-z]/.test(run) && /[A-Z]/.test(run) && /\d/.test(run);

/** Deepest nesting, longest list and longest text that are written. */
const DEPTH = 6;
const LENGTH = 100;
const CHARACTERS = 8 * 1024;

/**
 * A text without the parts in which secrets travel: queries and fragments of URLs, JWTs, credentials, `name=value`, long
 * random values.
 */
export const redactText = (text: string): string =>
  withoutQueries(text.length > CHARACTERS ? `${text.slice(0, CHARACTERS)}…` : text)
    .replace(JWT, MASK)
    .replace(SCHEME, `$1 ${MASK}`)
    .replace(PAIR, `$1${MASK}`)
    .replace(RANDOM, (run) => (isRandom(run) ? MASK : run));

/** Word by word, because one expression for all of it takes quadratic time over hostile text. */
const withoutQueries = (text: string): string =>
  text.replace(WORD, (word) => {
    const at = word.search(/[?#]/);
    const before = at < 0 ? word : word.slice(0, at);
    const bare = before.replace(USERINFO, `://${MASK}@`);
    return at >= 0 && before.includes('/') ? `${bare}?…` : bare + word.slice(before.length);
  });

/** A log line's details as they may be written: secrets masked by name at any depth, texts by {@link redactText}. */
export const redact = (value: unknown): unknown => plain(value, []);

/** `above`: the objects that `value` is in, so that a circle ends. */
function plain(value: unknown, above: readonly object[]): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'symbol') return redactText(String(value));
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? '[function]' : value;
  if (above.length >= DEPTH || above.includes(value)) return '[…]';
  const here = [...above, value];
  if (value instanceof Error) return plainError(value, here);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof URL) return redactText(value.href);
  if (Array.isArray(value)) return value.slice(0, LENGTH).map((item) => plain(item, here));
  const prototype = Object.getPrototypeOf(value);
  // A request, a buffer, a key object: nobody can say what is in it.
  if (prototype !== Object.prototype && prototype !== null) return '[object]';
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, LENGTH)
      .map(([name, item]) => [redactText(name), plainField(name, item, here)]),
  );
}

function plainField(name: string, item: unknown, here: readonly object[]): unknown {
  if (item === undefined) return undefined;
  if (SECRET_NAME.test(name)) return MASK;
  if (typeof item === 'string' && PUBLIC_NAME.test(name) && /^[\w-]{1,128}$/.test(item)) return item;
  return plain(item, here);
}

/** Name, code, message, stack and causes. Whatever else hangs on an error (a request, a response) is left out. */
function plainError(error: Error, here: readonly object[]): object {
  const { code } = error as { code?: unknown };
  return {
    type: redactText(String(error.name)),
    ...(typeof code === 'string' && /^[A-Za-z][A-Za-z_0-9]{1,39}$/.test(code) && { code }),
    message: redactText(String(error.message)),
    ...(error.stack !== undefined && { stack: redactText(String(error.stack)) }),
    ...(error.cause !== undefined && { cause: plain(error.cause, here) }),
    ...(error instanceof AggregateError && { errors: plain(error.errors, here) }),
  };
}
