import { sha256 } from '../../lib/index.ts';

type Fields = Readonly<Record<string, string | boolean | readonly string[]>>;

const mark = (value: unknown): string =>
  sha256(JSON.stringify(Array.isArray(value) ? value.toSorted() : value)).slice(0, 12);

/** Goes with a form, and comes back with it: what its fields held when it was shown. */
export const seenOf = (shown: Fields): string =>
  Object.entries(shown)
    .map(([name, value]) => `${name}:${mark(value)}`)
    .join(' ');

/**
 * What a form asks for: where its sender left a field as it was shown, what it is now, whoever changed it meanwhile.
 * @returns `clash` where somebody else has changed the very field to something else
 */
export function merged<F extends Fields>(typed: F, now: F, seen = ''): { readonly fields: F; readonly clash: boolean } {
  const marks = new Map(seen.split(' ').map((each) => each.split(':', 2) as [string, string]));
  let clash = false;
  const fields = Object.entries(typed).map(([name, value]) => {
    const is = now[name];
    const [shown, typedNow, stored] = [marks.get(name), mark(value), mark(is)];
    if (typedNow === shown || typedNow === stored) return [name, is];
    clash ||= stored !== shown;
    return [name, value];
  });
  return { fields: Object.fromEntries(fields) as F, clash };
}
