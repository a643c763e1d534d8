const MASK = '[hidden]';

/** Names under which a secret may come into a log line, wherever in it. `error.code` and the like are exempt below. */
const SECRET_NAME =
  /pass(word|wd|phrase)?$|secret|token|cookie|authorization|^(auth_?)?code$|code_?verifier|assertion|credential|^otp$|totp|csrf|xsrf|session_?id|^jti$|api_?key|private|master|^dpop$|^proof$/i;

const JWT = /\beyJ[\w-]{8,}\.[\w-]+(\.[\w-]*){0,3}/g;
const SCHEME = /\b(Bearer|Basic|DPoP)\s+[\w.~+/=-]+/gi;
const QUERY = /((?:[a-z][a-z0-9+.-]*:\/\/|\/)[^\s?#"'<>]*)[?#][^\s"'<>]*/gi;
const USERINFO = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'<>]+@/gi;
const PAIR =
  /\b([\w-]*(?:pass(?:word|wd)?|secret|token|cookie|code|code_verifier|assertion|csrf|xsrf))(["']?\s*[=:]\s*["']?)[^\s&"',;}]+/gi;

/** Deepest nesting and longest list that are written. */
const DEPTH = 6;
const LENGTH = 100;

/** A text without the parts in which secrets travel: queries and fragments of URLs, JWTs, credentials, `name=value`. */
export const redactText = (text: string): string =>
  text
    .replace(USERINFO, `$1${MASK}@`)
    .replace(QUERY, '$1?…')
    .replace(JWT, MASK)
    .replace(SCHEME, `$1 ${MASK}`)
    .replace(PAIR, `$1$2${MASK}`);

/** A log line's details as they may be written: secrets masked by name at any depth, texts by {@link redactText}. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? '[function]' : value;
  if (depth >= DEPTH) return '[…]';
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof URL) return redactText(value.href);
  if (Array.isArray(value)) return value.slice(0, LENGTH).map((item) => redact(item, depth + 1));
  const prototype = Object.getPrototypeOf(value);
  // A request, a buffer, a key object: nobody can say what is in it.
  if (prototype !== Object.prototype && prototype !== null) return `[${value.constructor?.name ?? 'object'}]`;
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, LENGTH)
      .map(([name, item]) => [redactText(name), SECRET_NAME.test(name) ? MASK : redact(item, depth + 1)]),
  );
}

/** Name, code, message, stack and causes. Whatever else hangs on an error (a request, a response) is left out. */
function redactError(error: Error, depth: number): object {
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    ...(typeof code === 'string' && /^[A-Za-z][A-Za-z_0-9]{1,39}$/.test(code) && { code }),
    message: redactText(error.message),
    ...(error.stack !== undefined && { stack: redactText(error.stack) }),
    ...(error.cause !== undefined && { cause: redact(error.cause, depth + 1) }),
    ...(error instanceof AggregateError && { errors: redact(error.errors, depth + 1) }),
  };
}
