import { randomBytes } from 'node:crypto';
import { type Clock, type Duration, minutes, type SealingKey, seal, sha256, unseal } from '../lib/index.ts';
import type { Challenge, Put } from '../store/index.ts';

export type Challenges = ReturnType<typeof createChallenges>;

/** What a challenge is for and what it is bound to: it is good for nothing else. */
export interface Binding {
  readonly purpose: Challenge['purpose'];
  /** An interaction or a session: whoever answers must be in it. */
  readonly boundTo: string;
  readonly accountId?: string | undefined;
}

/** Time enough to find one's phone; a form left open for longer is shown anew. */
const LASTS: Duration = minutes(15);

/**
 * Challenges that are answered once (WebAuthn §13.4.3), and what somebody is about to enrol. Nothing is stored when one is
 * given out, so that nobody can fill the store by asking: it is sealed, with its binding and its end, and only its use is
 * written down.
 */
export function createChallenges({ sealingKey, now }: { sealingKey: SealingKey; now: Clock }) {
  const label = ({ purpose, boundTo, accountId = '' }: Binding) =>
    `challenges/${JSON.stringify([purpose, boundTo, accountId])}`;

  function read(binding: Binding, challenge: string): { at: number; data: string } | undefined {
    try {
      // Base64url has several spellings of one value: another one would be another row, and so a second use.
      if (Buffer.from(challenge, 'base64url').toString('base64url') !== challenge) return undefined;
      const [at, , data] = JSON.parse(unseal(sealingKey, label(binding), challenge)) as [number, string, string];
      return at + LASTS > now() ? { at, data } : undefined;
    } catch {
      return undefined;
    }
  }

  return {
    /** A challenge of at least 128 random bits, as base64url; `data` comes back with it, unseen on the way. */
    issue: (binding: Binding, data = ''): string =>
      seal(sealingKey, label(binding), JSON.stringify([now(), randomBytes(16).toString('base64url'), data])),

    /** What came with it; undefined where it is not ours, is for something else, or is over. */
    open: (binding: Binding, challenge: string): string | undefined => read(binding, challenge)?.data,

    /** The change that uses it up: a commit with it conflicts where somebody did so before. */
    spend(binding: Binding, challenge: string): Put<'challenges'> {
      const { purpose, boundTo, accountId } = binding;
      return {
        put: 'challenges',
        id: sha256(challenge),
        record: { purpose, boundTo: sha256(boundTo), ...(accountId && { accountId }) },
        expiresAt: (read(binding, challenge)?.at ?? now()) + LASTS,
        expect: 'absent',
      };
    },
  };
}
