import { createHash } from 'node:crypto';
import { Refusal } from '../lib/index.ts';
import {
  argon2Hash,
  bcryptHash,
  FUNCTIONS,
  type FunctionName,
  type Kept,
  ownHash,
  pbkdf2Hash,
  scryptHash,
  type Work,
} from './key-derivation.ts';

interface Format {
  /** As its own documentation writes it. */
  readonly name: string;
  readonly pattern: RegExp;
  /** @throws Refusal `hash_costly` */
  read(...groups: string[]): Kept;
}

const row = (name: string, pattern: RegExp, read: Format['read']): Format => ({ name, pattern, read });

const SALT = '([^$]{1,128})';
const DECIMAL = '(\\d{1,10})';
const BCRYPT = '(\\$2[aby]\\$(\\d\\d)\\$[./A-Za-z0-9]{53})';
const PHC = `(\\$argon2(?:id|i|d)\\$v=19\\$m=${DECIMAL},t=${DECIMAL},p=${DECIMAL}\\$[A-Za-z0-9+/]{11,86}\\$[A-Za-z0-9+/]{11,86})`;

const base64 = (text: string): Buffer => Buffer.from(text, 'base64');
/** passlib's base64: a point for the plus, and no padding. */
const pointed = (text: string): Buffer => base64(text.replaceAll('.', '+'));
const argon2 = (phc = '', m = '', t = '', p = ''): Kept => {
  // The library reads no base64 but the one spelling there is of some bytes (RFC 4648 §3.5).
  const spelled = phc.split('$').slice(-2);
  if (!spelled.every((text) => base64(text).toString('base64').replace(/=+$/, '') === text))
    throw new Refusal('hash_unknown', 'salt or sum of this argon2 hash is not base64: a character is missing or wrong');
  return argon2Hash({ m: Number(m), t: Number(t), p: Number(p) }, phc);
};

const OWN = row('our own', /^(\$argon2id\$.+)$/, (phc = '') => ownHash(phc));

/** What people may bring their passwords in. None of them begins as {@link OWN} does: see {@link kept}. */
const FOREIGN: readonly Format[] = [
  row(
    'pbkdf2_sha256$… (Django)',
    exactly(`pbkdf2_sha256\\$${DECIMAL}\\$${SALT}\\$([A-Za-z0-9+/]{43}=)`),
    (n, salt = '', sum = '') => pbkdf2Hash(Number(n), Buffer.from(salt), base64(sum)),
  ),
  row('argon2$argon2id$… (Django)', exactly(`argon2${PHC}`), argon2),
  row('bcrypt_sha256$$2b$… (Django)', exactly(`bcrypt_sha256\\$${BCRYPT}`), (text = '', cost) =>
    bcryptHash(Number(cost), text, (password) => createHash('sha256').update(password).digest('hex')),
  ),
  row('bcrypt$$2b$… (Django)', exactly(`bcrypt\\$${BCRYPT}`), (text = '', cost) => bcryptHash(Number(cost), text)),
  row(
    'scrypt:… (werkzeug)',
    exactly(`scrypt:${DECIMAL}:${DECIMAL}:${DECIMAL}\\$${SALT}\\$([0-9a-f]{128})`),
    (N, r, p, salt = '', sum = '') =>
      scryptHash({ N: Number(N), r: Number(r), p: Number(p) }, Buffer.from(salt), Buffer.from(sum, 'hex')),
  ),
  row(
    'pbkdf2:sha256:… (werkzeug)',
    exactly(`pbkdf2:sha256:${DECIMAL}\\$${SALT}\\$([0-9a-f]{64})`),
    (n, salt = '', sum = '') => pbkdf2Hash(Number(n), Buffer.from(salt), Buffer.from(sum, 'hex')),
  ),
  row(
    '$pbkdf2-sha256$… (passlib)',
    exactly(`\\$pbkdf2-sha256\\$${DECIMAL}\\$([A-Za-z0-9./]{1,128})\\$([A-Za-z0-9./]{43})`),
    (n, salt = '', sum = '') => pbkdf2Hash(Number(n), pointed(salt), pointed(sum)),
  ),
  row('$2b$… (bcrypt)', exactly(BCRYPT), (text = '', cost) => bcryptHash(Number(cost), text)),
];

function exactly(pattern: string): RegExp {
  return new RegExp(`^${pattern}$`);
}

const NAMES = [...FOREIGN.map(({ name }) => name), '$argon2id$… (argon2)'].join(', ');

/**
 * Somebody else's hash as it is kept here: an argon2 hash gets the prefix Django gives it, so that none is taken for
 * one of ours, whose passwords are normalized first.
 * @throws Refusal `hash_unknown`, `hash_costly`
 */
export function kept(text: string): { hash: string } & Pick<Kept, 'by' | 'work'> {
  const hash = /^\$argon2/.test(text) ? `argon2${text}` : text;
  const { by, work } = find(FOREIGN, hash);
  return { hash, by, work };
}

/** A hash as it is kept, ours or not. @throws Refusal `hash_unknown`, `hash_costly` */
export const understand = (hash: string): Kept => find([OWN, ...FOREIGN], hash);

function find(formats: readonly Format[], hash: string): Kept {
  for (const { pattern, read } of formats) {
    const found = pattern.exec(hash);
    if (found) return read(...found.slice(1));
  }
  if (hash.startsWith('!'))
    throw new Refusal('hash_unknown', 'Django’s “no usable password” (!…): leave password_hash out');
  throw new Refusal('hash_unknown', `not a password hash known here; known are ${NAMES}`);
}

/**
 * Whether the password fits. Where it does not, and where there is no hash, all of `work` is done, whoever it is.
 */
export function check(hash: string | undefined, password: string, work: Work): boolean {
  const own = hash === undefined ? undefined : understand(hash);
  if (own?.fits(password)) return true;
  for (const [name, all] of Object.entries({ own: 1, ...work }) as [FunctionName, number][]) {
    const rest = all - (own?.by === name ? own.work : 0);
    if (rest > 0) FUNCTIONS[name].spend(rest);
  }
  return false;
}
