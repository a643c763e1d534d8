import { type Clock, hmac, type SealingKey, sha256 } from '../lib/index.ts';
import type { Factor, Store } from '../store/index.ts';
import type { Person } from './account-changes.ts';
import type { Audit } from './audit.ts';
import { factorUse } from './factor-use.ts';
import { type Letters, localeOf } from './letters.ts';
import { retryOnConflict } from './retry.ts';

export type RecoveryCodes = ReturnType<typeof createRecoveryCodes>;

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly audit: Audit;
  readonly letters: Letters;
  readonly sealingKey: SealingKey;
}

/** A person has one set at most. */
const rowId = (accountId: string): string => `fac_recovery_${accountId}`;
const setOf = (digests: readonly string[]): string => sha256(digests.join());

/** Codes for the day everything else is lost: one set for each person, kept as keyed digests, each code good once. */
export function createRecoveryCodes({ store, now, audit, letters, sealingKey }: Options) {
  const use = factorUse({ store, now });
  const digestOf = (accountId: string, code: string): string => hmac(sealingKey, `recovery/${accountId}/${code}`);

  return {
    /**
     * New codes instead of all earlier ones; they are good at once, and asked about until they are kept.
     * @returns what names this set of codes
     */
    async put(accountId: string, codes: readonly string[]): Promise<string> {
      const digests = codes.map((code) => digestOf(accountId, code));
      const id = rowId(accountId);
      await retryOnConflict(async () => {
        const row = await store.get('factors', id);
        const record: Factor = { accountId, kind: 'recovery', digests, kept: false, createdAt: now() };
        await store.commit([
          { put: 'factors', id, record, expect: row?.version ?? 'absent' },
          audit.record('recovery_codes.made', { accountId, details: { codes: codes.length } }),
        ]);
      });
      return setOf(digests);
    },

    /** The person keeps this set of codes; false where there is another one by now. */
    keep(accountId: string, set: string): Promise<boolean> {
      return retryOnConflict(async () => {
        const row = await store.get('factors', rowId(accountId));
        if (!row || setOf(row.record.digests ?? []) !== set) return false;
        const record = { ...row.record, kept: true };
        await store.commit([{ put: 'factors', id: row.id, record, expect: row.version }]);
        return true;
      });
    },

    /** Whether the person has codes that they said they keep. */
    async areKept(accountId: string): Promise<boolean> {
      return (await store.get('factors', rowId(accountId)))?.record.kept === true;
    },

    /** Whether the code was one of the person's that are left; it is not any more, and they are told. */
    use({ id: accountId, email, locale }: Person, code: string): Promise<boolean> {
      const link = letters.pageAt('/account');
      const digest = digestOf(accountId, code);
      return use(rowId(accountId), (record) => {
        const digests = record.digests ?? [];
        const left = digests.filter((each) => each !== digest);
        if (left.length === digests.length) return undefined;
        const event = audit.record('recovery_code.used', { accountId, details: { left: left.length } });
        const letter = { name: 'recovery-code-used', to: email, locale: localeOf(locale), link } as const;
        return { record: { ...record, digests: left }, alongside: [event, letters.send(letter, accountId)] };
      });
    },
  };
}
