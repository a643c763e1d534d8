/** Records for tests: complete ones, of which a test says only what it is about. */
import type { Account, Artifact, GuessCounter } from '../../src/store/index.ts';

export const account = (email: string): Account => ({
  email,
  emailVerified: true,
  admin: false,
  disabled: false,
  epoch: 0,
  createdAt: 1,
  updatedAt: 1,
});

export const artifact = (more: Partial<Artifact> = {}): Artifact => ({ sealed: 'sealed', ...more });

export const guess = (count: number): GuessCounter => ({ count, since: 1 });
