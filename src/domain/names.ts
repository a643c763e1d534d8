import { Refusal } from '../lib/index.ts';

const SEEN = '[^\\p{C}\\p{Zl}\\p{Zp}]';

/**
 * Characters that are seen, and more than blanks. Persian, Hindi and Sinhala names and some emoji are written with joiners (ZWNJ,
 * ZWJ): one may stand between two characters, and no other that is not seen.
 */
const NAME = new RegExp(`^(?=.*\\S)(?:${SEEN}(?:[\\u200C\\u200D](?=${SEEN}))?)+$`, 'u');

/** As texts are compared: two spellings of one are the same. */
export const plainly = (text: string): string => text.normalize('NFKC').toLowerCase().normalize('NFKC');

/** What anybody or anything may be called; a joiner is no character more. @throws Refusal `name_invalid` */
export function checkName(name: string | undefined, longest = 200): void {
  if (name === undefined) return;
  const { length } = [...name.replaceAll(/[\u200C\u200D]/g, '')];
  if (length > longest || !NAME.test(name))
    throw new Refusal(
      'name_invalid',
      `a name has 1 to ${longest} characters, none of them invisible, and not blanks alone`,
    );
}
