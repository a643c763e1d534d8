import { Refusal } from '../lib/index.ts';

const SEEN = '[^\\p{C}\\p{Zl}\\p{Zp}]';

/**
 * A name of so many characters at most that are seen. Persian, Hindi and Sinhala names and some emoji are written with joiners (ZWNJ, ZWJ):
 * one may stand between two characters, and no other that is not seen.
 */
export const nameUpTo = (longest: number): RegExp =>
  new RegExp(`^(?:${SEEN}(?:[\\u200C\\u200D](?=${SEEN}))?){1,${longest}}$`, 'u');

const NAME = nameUpTo(200);

/** What a person, an application, an API or a provider may be called. @throws Refusal `name_invalid` */
export function checkName(name: string | undefined): void {
  if (name !== undefined && !NAME.test(name))
    throw new Refusal('name_invalid', 'a name has 1 to 200 characters, none of them invisible');
}
