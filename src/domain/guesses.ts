import { type Clock, type Duration, days } from '../lib/index.ts';
import type { Change, Store } from '../store/index.ts';
import { type Bucket, bucketOf, createCounters } from './counters.ts';
import { emailKey } from './email.ts';
import { networkOf } from './networks.ts';
import { retryOnConflict } from './retry.ts';

interface GuessLimits {
  /** Wrong passwords for one account from browsers unknown to it; and the same for each known browser by itself. */
  readonly account: number;
  /** Wrong passwords from one network, for whatever accounts. */
  readonly network: number;
  /** Counted from the first wrong one; nobody is refused for longer. */
  readonly window: Duration;
}

/** Who is about to try a password, or a code of a second factor: both count together. */
export interface Attempt {
  readonly email: string;
  /** The IP address it comes from, as the edge believes it. */
  readonly address: string;
  /**
   * What names the browser: random, kept in a signed cookie that is set once a sign-in from it has succeeded. A browser
   * without the cookie is given a new one here too, so that it is known after its first success.
   */
  readonly device?: string | undefined;
  /** It is a code that is tried, by somebody who has the password. */
  readonly secondFactor?: boolean | undefined;
}

/** A guess that may be made. It counts as wrong from the moment it is given, unless it is told otherwise. */
export interface Allowed {
  readonly allowed: true;
  /**
   * The person is signed in: the guess no longer counts, and the browser is known to the account from now on. Not for a
   * right password alone where a second factor is still to come: whoever knows it would begin every guess at that anew.
   */
  succeed(): Promise<void>;
  /** It was right, and more is asked; or nothing was tried (the server was busy): the guess no longer counts. */
  release(): Promise<void>;
}

/** `retryAfter` in whole seconds. */
export type Verdict = Allowed | { readonly allowed: false; readonly retryAfter: number };

export type Guesses = ReturnType<typeof createGuesses>;

/**
 * Whoever tries codes has the password, so that patience alone would find a code of six digits: so many times the limit of
 * an account, and no more in a day (NIST SP 800-63B-4 §3.2.2).
 */
const CODES = { times: 3, window: days(1) } as const;

/** How long an account remembers a browser that signed in to it. */
const KNOWN_FOR = days(90);

/**
 * Limits on wrong passwords. A guess is reserved before the password is looked at, in one commit, so that parallel
 * guesses, in however many processes, never exceed a limit. A browser that has signed in to the account before has a
 * counter of its own, so that nobody elsewhere can lock its owner out. Whether the account exists makes no difference.
 */
export function createGuesses({ store, now, limits }: { store: Store; now: Clock; limits: GuessLimits }) {
  const { take, anew } = createCounters({ store, now });
  const bucket = (kind: string, of: string, limit: number, keep?: Duration): Bucket =>
    bucketOf(kind, of, limit, limits.window, keep);

  const browserOf = (email: string, device: string): Bucket =>
    bucket('device', `${device}\n${emailKey(email)}`, limits.account, KNOWN_FOR);

  const codesOf = (of: string): Bucket => bucketOf('codes', of, limits.account * CODES.times, CODES.window);

  /** What the attempt is counted against. A browser's row exists only once it has signed in to that very account. */
  async function bucketsOf(attempt: Attempt, device: Bucket | undefined): Promise<Bucket[]> {
    const key = emailKey(attempt.email);
    const [of, buckets] =
      device && (await store.get('guesses', device.id))
        ? [device.id, [device]]
        : [
            key,
            [bucket('network', networkOf(attempt.address), limits.network), bucket('account', key, limits.account)],
          ];
    return attempt.secondFactor ? [...buckets, codesOf(of)] : buckets;
  }

  /** The browser is known, and its wrong guesses are forgotten. */
  const remember = async (device: Bucket): Promise<Change[]> => [
    await anew(device),
    { remove: 'guesses', id: codesOf(device.id).id },
  ];

  return {
    /** Somebody signed in from this browser by what nobody can guess (a passkey): it is known to the account from now on. */
    async trust({ email, device }: Pick<Attempt, 'email' | 'device'>): Promise<void> {
      if (device) await retryOnConflict(async () => store.commit(await remember(browserOf(email, device))));
    },

    async begin(attempt: Attempt): Promise<Verdict> {
      const device = attempt.device ? browserOf(attempt.email, attempt.device) : undefined;
      const taken = await take(await bucketsOf(attempt, device));
      if (taken.wait !== undefined) return { allowed: false, retryAfter: taken.wait };
      return {
        allowed: true,
        succeed: () => taken.giveBack(async () => (device ? remember(device) : [])),
        release: () => taken.giveBack(),
      };
    },
  };
}
