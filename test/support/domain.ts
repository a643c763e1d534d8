import { createDomain, type Passwords } from '../../src/domain/index.ts';
import { type Clock, deriveKey, minutes, sha256, silent } from '../../src/lib/index.ts';
import type { Store } from '../../src/store/index.ts';
import { memoryStore } from './memory-store.ts';

/** Hashing without its cost, that counts what was asked of it. */
export function countingPasswords(): Passwords & { readonly calls: string[]; readonly works: object[] } {
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
    async close() {},
  };
}

export const ISSUER = 'https://id.example.com';
export const SEALING_KEY = deriveKey('a key of the test', 'factors');
const guesses = { account: 10, network: 100, window: minutes(15) };

/** A domain on a store in memory, at a time that the test moves. */
export function testDomain(
  options: { guesses?: Partial<typeof guesses>; second_factor?: 'optional' | 'operators' | 'required' } = {},
) {
  const time = { at: Date.UTC(2026, 0, 1) };
  const now: Clock = () => time.at;
  const memory = memoryStore(now);
  const store: Store = memory;
  const passwords = countingPasswords();
  const { second_factor = 'optional' } = options;
  const settings = { issuer: ISSUER, guesses: { ...guesses, ...options.guesses }, second_factor };
  const domain = createDomain({ store, now, settings, sealingKey: SEALING_KEY, log: silent, passwords });
  return { domain, store, passwords, time, now, commits: () => memory.commits };
}
