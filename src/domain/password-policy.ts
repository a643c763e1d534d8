import type { Settings } from '../config/index.ts';
import { Refusal } from '../lib/index.ts';
import { commonPasswords } from './common-passwords.ts';

interface PasswordUse {
  /** The person's own words: address and name. */
  readonly own: readonly (string | undefined)[];
  /** It is all they prove themselves with. */
  readonly alone: boolean;
}

export type PasswordPolicy = ReturnType<typeof createPasswordPolicy>;

const LONGEST = 128;
/** So many letters and digits of a password must be something else than the person's own words. */
const LEAST_OF_ITS_OWN = 5;
/** Shorter words are in many passwords by chance. */
const SHORTEST_WORD = 3;

interface Options {
  readonly settings: Settings['passwords'];
  /** What the server is called: a password near it is the first that is tried. */
  readonly serverWords: readonly string[];
}

/**
 * What a password may be (NIST SP 800-63B-4 §3.1.1.2): long enough, of whatever characters, and none that is guessed
 * first. No rule asks for kinds of characters, and no password grows old.
 */
export function createPasswordPolicy({ settings, serverWords }: Options) {
  const minimum = (alone: boolean): number =>
    alone ? Math.max(settings.minimum, settings.minimum_alone) : settings.minimum;

  return {
    minimum,

    /** @throws Refusal `password_too_short`, `password_too_long`, `password_common`, `password_personal` */
    async check(password: string, { own, alone }: PasswordUse): Promise<void> {
      const least = minimum(alone);
      // Code points, so that an emoji is one character to the person who typed it.
      const { length } = [...password.normalize('NFKC')];
      if (length < least) throw new Refusal('password_too_short', `a password has at least ${least} characters`);
      if (length > LONGEST) throw new Refusal('password_too_long', `a password has at most ${LONGEST} characters`);
      if (await isCommon(password))
        throw new Refusal('password_common', 'this password is one that is guessed early: many people chose it');
      if (
        isPersonal(
          password,
          [...own, ...serverWords].filter((text) => text !== undefined),
        )
      )
        throw new Refusal(
          'password_personal',
          'this password is made of the e-mail address, the name, or this server’s',
        );
    },
  };
}

/** As passwords are compared here: case, width and what stands for letters make no difference. */
const folded = (text: string): string => text.normalize('NFKC').toLowerCase();
const STANDS_FOR: Readonly<Record<string, string>> = {
  '@': 'a',
  '4': 'a',
  '3': 'e',
  '1': 'i',
  '0': 'o',
  $: 's',
  '5': 's',
  '7': 't',
};
const spelt = (text: string): string => text.replaceAll(/[@431$057]/g, (sign) => STANDS_FOR[sign] ?? sign);
const lettersAndDigits = (text: string): string => text.replaceAll(/[^\p{L}\p{N}]/gu, '');

/** The whole password is compared, never a part of it; one that repeats itself is what it repeats. */
async function isCommon(password: string): Promise<boolean> {
  const common = await commonPasswords();
  const whole = folded(password);
  const once = /^(.+?)\1+$/su.exec(whole)?.[1] ?? whole;
  if ([...once].length < 5 || isRun(once)) return true;
  const bare = whole.replaceAll(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '');
  return [whole, once, bare].some((text) => common.has(text) || common.has(spelt(text)));
}

/** `abcdefgh`, `87654321`. */
function isRun(text: string): boolean {
  const points = [...text].map((character) => character.codePointAt(0)!);
  const step = points[1]! - points[0]!;
  return Math.abs(step) <= 1 && points.every((point, i) => i === 0 || point - points[i - 1]! === step);
}

/** Whether hardly anything is left of it without the words. */
function isPersonal(password: string, texts: readonly string[]): boolean {
  const words = new Set(texts.flatMap(wordsOf).sort((a, b) => b.length - a.length));
  return [folded(password), spelt(folded(password))].some((text) => {
    let left = lettersAndDigits(text);
    const before = left.length;
    for (const word of words) left = left.replaceAll(word, '');
    return left.length < before && [...left].length < LEAST_OF_ITS_OWN;
  });
}

/** A text's words, and all of them as one: `ada.lovelace@example.com` has `ada`, `lovelace`, `example`, `adalovelace`, … */
function wordsOf(text: string): string[] {
  const plain = folded(text);
  const parts = plain.split(/[^\p{L}\p{N}]+/u);
  const sides = plain.split('@');
  return [...parts, ...sides.map(lettersAndDigits), lettersAndDigits(plain)].filter(
    (word) => word.length >= SHORTEST_WORD,
  );
}
