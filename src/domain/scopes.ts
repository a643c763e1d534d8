import { Refusal } from '../lib/index.ts';

/** RFC 6749 §3.3: printable ASCII but space, `"` and `\`. */
const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]{1,200}$/;
const MOST = 200;

/** Each scope once, in the order given. @throws Refusal `scope_invalid` */
export function parseScopes(scopes: readonly string[]): string[] {
  const wrong = scopes.find((scope) => !SCOPE.test(scope));
  if (wrong !== undefined)
    throw new Refusal('scope_invalid', `${JSON.stringify(wrong.slice(0, 80))} is not a scope (RFC 6749 §3.3)`);
  const once = [...new Set(scopes)];
  if (once.length > MOST) throw new Refusal('scope_invalid', `more than ${MOST} scopes`);
  return once;
}
