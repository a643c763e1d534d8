import { randomInt } from 'node:crypto';
import {
  type Clock,
  type Duration,
  deriveKey,
  hmac,
  minutes,
  type SealingKey,
  sameText,
  sha256,
} from '../lib/index.ts';
import type { Change, Link, Store } from '../store/index.ts';
import { retryOnConflict } from './retry.ts';

/** What a code is good for: this person, in this epoch, in this interaction of their browser. */
interface CodeUse {
  readonly person: { readonly id: string; readonly epoch: number };
  readonly interaction: string;
}

export type Codes = ReturnType<typeof createCodes>;

export const CODE_LIFETIME: Duration = minutes(10);
const DIGITS = 8;
/** Wrong ones after which the code is good for nothing: one of 10^8 guessed in five. */
const MOST_WRONG = 5;

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly sealingKey: SealingKey;
}

/** Codes of eight digits that are mailed, typed in the interaction they were asked for, and accepted once. */
export function createCodes({ store, now, sealingKey }: Options) {
  const key = deriveKey(sealingKey, 'mailed-codes');

  /** One row for each use, so that a new code ends the one before. */
  const idOf = ({ person, interaction }: CodeUse): string => sha256(`code\n${person.id}\n${interaction}`);
  /** Keyed: eight digits are soon tried out. */
  const digestOf = (id: string, code: string): string => hmac(key, `${id}\n${code}`);

  return {
    /** The code, and the change that makes it good, to go into the commit that mails it. */
    issue(use: CodeUse): { readonly code: string; readonly change: Change } {
      const code = String(randomInt(10 ** DIGITS)).padStart(DIGITS, '0');
      const id = idOf(use);
      const record: Link = {
        purpose: 'email-code',
        of: id,
        accountId: use.person.id,
        epoch: use.person.epoch,
        code: digestOf(id, code),
        wrong: 0,
        createdAt: now(),
      };
      return { code, change: { put: 'links', id, record, expiresAt: now() + CODE_LIFETIME } };
    },

    /** Whether there is a code that is still good. */
    async isOut(use: CodeUse): Promise<boolean> {
      return (await store.get('links', idOf(use)))?.record.epoch === use.person.epoch;
    },

    /**
     * Whether this is the code; then it is used up, in one commit with `also`. A wrong one is counted. Whoever calls it
     * limits guesses beside it (guesses.ts): a new code begins the count anew.
     */
    redeem(use: CodeUse, typed: string, also: () => Promise<readonly Change[]> = async () => []): Promise<boolean> {
      return retryOnConflict(async () => {
        const id = idOf(use);
        const row = await store.get('links', id);
        if (row?.record.code === undefined || row.record.epoch !== use.person.epoch) return false;
        const { version, record, expiresAt } = row;
        if (sameText(row.record.code, digestOf(id, typed.replaceAll(/\s/g, '')))) {
          await store.commit([{ remove: 'links', id, expect: version }, ...(await also())]);
          return true;
        }
        const wrong = (record.wrong ?? 0) + 1;
        await store.commit([
          wrong < MOST_WRONG
            ? { put: 'links', id, record: { ...record, wrong }, expiresAt: expiresAt ?? now(), expect: version }
            : { remove: 'links', id, expect: version },
        ]);
        return false;
      });
    },
  };
}
