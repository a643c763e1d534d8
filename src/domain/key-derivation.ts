import { pbkdf2Sync, scryptSync, timingSafeEqual } from 'node:crypto';
import { hashSync, verifySync } from '@node-rs/argon2';
import { hashSync as bcryptSync, compareSync } from 'bcryptjs';
import { Refusal } from '../lib/index.ts';
import { COST } from './password-cost.ts';

/** A password's hash, understood. */
export interface Kept {
  readonly by: FunctionName;
  /** What one look at it costs, in its function's unit. */
  readonly work: number;
  fits(password: string): boolean;
}

/** Work by function, each in its own unit. */
export type Work = Readonly<Partial<Record<FunctionName, number>>>;

export type FunctionName = 'own' | 'pbkdf2' | 'scrypt' | 'bcrypt' | 'argon2';

interface KeyDerivation {
  /** Dearer hashes are refused: nobody's password may hold the hashing threads for more than about a second. */
  readonly most: number;
  /** Does this much work for nothing. */
  spend(work: number): void;
}

/** The hash of a random password nobody kept, at the cost every hash of ours has. */
export const NOBODY =
  '$argon2id$v=19$m=19456,t=2,p=1$0p5xPSQan2+f2p3YF4ey3A$C/J/yT7TyzqXdPKXCchwCIkMMwzWA/EFgx7iUoT3Huo';

const SALT = Buffer.alloc(16);

/** Every slow function a hash here may have been made with. */
export const FUNCTIONS: Readonly<Record<FunctionName, KeyDerivation>> = {
  /** Unit: one hash at {@link COST}. */
  own: { most: 1, spend: () => void verifySync(NOBODY, '') },
  /** PBKDF2-HMAC-SHA-256 (RFC 8018 §5.2). Unit: iterations. */
  pbkdf2: { most: 3_000_000, spend: (work) => void pbkdf2Sync('', SALT, work, 32, 'sha256') },
  /** RFC 7914. Unit: N · r · p. */
  scrypt: {
    most: 2 ** 20,
    spend: (work) => {
      for (const part of powersOfTwo(work)) if (part >= 16) scrypt('', SALT, { N: part / 8, r: 8, p: 1 }, 32);
    },
  },
  /** Unit: rounds, 2 to the power of the cost. */
  bcrypt: {
    most: 2 ** 14,
    spend: (work) => {
      for (const part of powersOfTwo(work)) if (part >= 16) bcryptSync('', Math.log2(part));
    },
  },
  /** Unit: KiB · passes (RFC 9106). */
  argon2: {
    most: 2 ** 20,
    spend: (work) => {
      const memoryCost = Math.min(Math.max(work, 8), MOST_MEMORY);
      hashSync('', { ...COST, memoryCost, timeCost: Math.max(1, Math.round(work / memoryCost)) });
    },
  },
};

/** KiB; for scrypt and argon2 alike. */
const MOST_MEMORY = 2 ** 17;

export function ownHash(phc: string): Kept {
  return { by: 'own', work: 1, fits: (password) => verifySync(phc, normal(password)) };
}

/** One password typed on two keyboards is one password (NIST SP 800-63B-4 §3.1.1.2). The others hash what they are given. */
export const normal = (password: string): string => password.normalize('NFKC');

/** @throws Refusal `hash_costly`, as the other three do */
export function pbkdf2Hash(iterations: number, salt: Buffer, sum: Buffer): Kept {
  within('pbkdf2', iterations);
  return {
    by: 'pbkdf2',
    work: iterations,
    fits: (password) => timingSafeEqual(pbkdf2Sync(password, salt, iterations, sum.length, 'sha256'), sum),
  };
}

export function scryptHash(cost: { N: number; r: number; p: number }, salt: Buffer, sum: Buffer): Kept {
  const { N, r, p } = cost;
  within('scrypt', N * r * p);
  if (N < 2 || !Number.isInteger(Math.log2(N)) || (N * r) / 8 > MOST_MEMORY)
    throw new Refusal('hash_costly', `scrypt with N=${N}, r=${r} is not possible here`);
  return {
    by: 'scrypt',
    work: N * r * p,
    fits: (password) => timingSafeEqual(scrypt(password, salt, cost, sum.length), sum),
  };
}

/** @param prepare what is done to the password first */
export function bcryptHash(cost: number, text: string, prepare: (password: string) => string = (same) => same): Kept {
  within('bcrypt', 2 ** cost);
  if (cost < 4) throw new Refusal('hash_costly', 'bcrypt has a cost of at least 4');
  return { by: 'bcrypt', work: 2 ** cost, fits: (password) => compareSync(prepare(password), text) };
}

export function argon2Hash(cost: { m: number; t: number; p: number }, phc: string): Kept {
  const { m, t, p } = cost;
  within('argon2', m * t);
  if (m > MOST_MEMORY || p < 1 || p > 64 || m < 8 * p)
    throw new Refusal('hash_costly', `argon2 with m=${m}, p=${p} is not possible here`);
  return { by: 'argon2', work: m * t, fits: (password) => verifySync(phc, password) };
}

function within(name: FunctionName, work: number): void {
  const { most } = FUNCTIONS[name];
  if (!(work >= 1 && work <= most))
    throw new Refusal('hash_costly', `its cost (${name}: ${work}) is not between 1 and ${most}`);
}

const scrypt = (password: string, salt: Buffer, cost: { N: number; r: number; p: number }, length: number): Buffer =>
  scryptSync(password, salt, length, { ...cost, maxmem: 130 * cost.N * cost.r + 2048 * cost.p * cost.r });

/** The powers of two a whole number is the sum of. */
function* powersOfTwo(sum: number): Generator<number> {
  for (let part = 1; part <= sum; part *= 2) if (Math.floor(sum / part) % 2 === 1) yield part;
}
