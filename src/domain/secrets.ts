/** What stands where a secret was. */
const HIDDEN = '(hidden)';

/** Parameters whose value is a secret or serves as one, in any protocol we speak. */
const SECRET_NAMES = new Set([
  'password',
  'passwd',
  'new_password',
  'client_secret',
  'secret',
  'code',
  'user_code',
  'device_code',
  'code_verifier',
  'token',
  'access_token',
  'refresh_token',
  'id_token',
  'id_token_hint',
  'logout_token',
  'subject_token',
  'actor_token',
  'assertion',
  'client_assertion',
  'request',
  'otp',
  'totp',
  'recovery_code',
  'csrf',
  'authorization',
  'cookie',
  'master_key',
  'database_url',
  'smtp_url',
  'sealed',
  'd',
]);

const LONGEST = 300;

/** Letters only, so that `Client-Secret` and `clientSecret` are `client_secret` too. */
const bare = (name: string): string => name.toLowerCase().replace(/[^a-z]/g, '');
const BARE_NAMES = new Set([...SECRET_NAMES].map(bare));

const isSecret = (name: string): boolean => BARE_NAMES.has(bare(name)) || /password|secret/i.test(name);

/** `name=value`, also percent-encoded inside another URL, and `"name":"value"`. */
const PAIRS = /(^|%[0-9A-F]{2}|[^\w.%-])([\w.-]+)(=|%3D|"\s*:\s*")([^&\s"#]+)/gi;
/** Whoever a URL names before its host, and their password (RFC 3986 §3.2.1), also percent-encoded. */
const USERINFO = /(:\/\/|%3A%2F%2F)(?:(?!%2F|%3F|%23)[^\s/?#"])+(@|%40)/gi;
const JWT = /\beyJ[\w-]{10,}(\.[\w-]*){1,4}/g;

/** A text that may be kept or shown: secrets by name, in URLs and JWTs hidden, the rest cut to a length. */
export function withoutSecrets(name: string, value: string): string {
  if (isSecret(name)) return HIDDEN;
  // Before anything is cut, which may be the @ that tells it.
  const anonymous = value.replace(USERINFO, `$1${HIDDEN}$2`);
  const cut = anonymous.length > LONGEST ? `${anonymous.slice(0, LONGEST)}…` : anonymous;
  return cut
    .replace(PAIRS, (whole, before: string, key: string, sign: string) =>
      isSecret(key) ? `${before}${key}${sign}${HIDDEN}` : whole,
    )
    .replace(JWT, HIDDEN);
}

/** The same for plain data, to a depth and breadth that stay small. */
export function withoutSecretsDeep(value: unknown, name = '', depth = 0): unknown {
  if (isSecret(name)) return HIDDEN;
  if (typeof value === 'string') return withoutSecrets(name, value);
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value;
  if (depth === 4) return '…';
  if (Array.isArray(value)) return value.slice(0, 50).map((each) => withoutSecretsDeep(each, name, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, 50)
      .map(([key, each]) => [key.slice(0, 64), withoutSecretsDeep(each, key, depth + 1)]),
  );
}
