import type { Settings } from '../../src/config/index.ts';
import { createDomain, type NounOptions, type Passwords } from '../../src/domain/index.ts';
import { type Clock, days, deriveKey, minutes, sha256 } from '../../src/lib/index.ts';
import type { Store } from '../../src/store/index.ts';
import { memoryStore } from './memory-store.ts';

/** Hashing without its cost, that counts what was asked of it. */
function countingPasswords(): Passwords & { readonly calls: string[]; readonly works: object[] } {
  const calls: string[] = [];
  /** What each refusal was to cost beside a hash of ours. */
  const works: object[] = [];
  return {
    calls,
    works,
    async hash(password) {
      calls.push('hash');
      return `plain:${sha256(password)}`;
    },
    async verify(hash, password, work = {}) {
      calls.push('slow');
      works.push(work);
      return hash === `plain:${sha256(password)}`;
    },
    async decoy(_, work = {}) {
      calls.push('slow');
      works.push(work);
    },
    isCurrent: (hash) => hash.startsWith('plain:'),
    async close() {},
  };
}

export const ISSUER = 'https://id.example.com';
export const SEALING_KEY = deriveKey('a key of the test', 'factors');
const guesses = { account: 10, network: 100, window: minutes(15) };

export const SETTINGS: NounOptions['settings'] = {
  issuer: ISSUER,
  brand: { name: 'Postern', accent: '#1f5fbf' },
  email_codes: 'off',
  guesses,
  invitations: days(7),
  mail: { per_address: 5, per_network: 50 },
  passwords: { minimum: 8, minimum_alone: 8 },
  registration: 'open',
  second_factor: 'optional',
  sign_up: 'open',
};

interface TestSettings
  extends Partial<Pick<Settings, 'brand' | 'email_codes' | 'mail' | 'passwords' | 'second_factor' | 'sign_up'>> {
  readonly guesses?: Partial<typeof guesses>;
}

/** A domain on a store in memory, at a time that the test moves. */
export function testDomain(options: TestSettings = {}) {
  const time = { at: Date.UTC(2026, 0, 1) };
  const now: Clock = () => time.at;
  const memory = memoryStore(now);
  const store: Store = memory;
  const passwords = countingPasswords();
  const settings = { ...SETTINGS, ...options, guesses: { ...guesses, ...options.guesses } };
  const domain = createDomain({ store, now, settings, sealingKey: SEALING_KEY, passwords });
  return { domain, store, passwords, time, now, commits: () => memory.commits };
}
