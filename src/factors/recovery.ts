import { randomInt } from 'node:crypto';
import type { CodeFactor } from './code-factor.ts';

const CODES = 10;
const LENGTH = 12;
/** Crockford's base 32: no letter that looks like a digit, so that codes can be written down and read out. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const MISREAD: Readonly<Record<string, string>> = { O: '0', I: '1', L: '1' };

/** Look-up secrets of 60 random bits (NIST SP 800-63B-4 §3.1.2): only keyed digests of them are kept. */
export const newRecoveryCodes = (): string[] =>
  Array.from({ length: CODES }, () =>
    Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''),
  );

/** A code as people read it: `7QMK-2XHD-9RTP`. */
export const spelled = (code: string): string => code.match(/.{4}/g)?.join('-') ?? code;

/** Codes kept on paper for the day the phone is lost: ten, each good once. */
export const recovery: CodeFactor = {
  kind: 'recovery',
  amr: ['otp'],

  read(text) {
    const code = [...text.toUpperCase()]
      .filter((letter) => !/[\s-]/.test(letter))
      .map((letter) => MISREAD[letter] ?? letter)
      .join('');
    return code.length === LENGTH && [...code].every((letter) => ALPHABET.includes(letter)) ? code : undefined;
  },

  verify: ({ recoveryCodes }, person, _own, code) => recoveryCodes.use(person, code),
};
