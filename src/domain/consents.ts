import { type Clock, hours } from '../lib/index.ts';
import type { Consent, Store } from '../store/index.ts';
import type { Audit } from './audit.ts';
import { every } from './every.ts';
import { usedNow } from './registrations.ts';
import { retryOnConflict } from './retry.ts';
import type { Sessions } from './sessions.ts';

interface Allowance {
  readonly accountId: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Scopes by resource URI. */
  readonly resources?: Readonly<Record<string, readonly string[]>>;
}

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly audit: Audit;
  readonly sessions: Sessions;
}

/** How exactly it is kept when an application last used what it was allowed. */
const EXACT_TO = hours(1);
const MOST_NOTED = 10_000;

const rowId = (accountId: string, clientId: string): string => `${accountId}:${clientId}`;
const union = (a: readonly string[] = [], b: readonly string[] = []): string[] => [...new Set([...a, ...b])];

/** What people allowed applications to do, remembered until they withdraw it. */
export function createConsents({ store, now, audit, sessions }: Options) {
  /** When a use was last written down, by this process. */
  const noted = new Map<string, number>();

  return {
    /** Adds to what was allowed before; two tabs allowing at once both count. */
    remember({ accountId, clientId, scopes, resources = {} }: Allowance): Promise<Consent> {
      return retryOnConflict(async () => {
        const id = rowId(accountId, clientId);
        const before = await store.get('consents', id);
        const named = union(Object.keys(before?.record.resources ?? {}), Object.keys(resources));
        const record: Consent = {
          accountId,
          clientId,
          scopes: union(before?.record.scopes, scopes),
          resources: Object.fromEntries(
            named.map((uri) => [uri, union(before?.record.resources[uri], resources[uri])]),
          ),
          createdAt: before?.record.createdAt ?? now(),
          updatedAt: now(),
        };
        await store.commit([
          { put: 'consents', id, record, expect: before?.version ?? 'absent' },
          ...(await usedNow(store, clientId)),
          audit.record('consent.given', { accountId, clientId, details: { scopes: scopes.join(' ') } }),
        ]);
        return record;
      });
    },

    async find(accountId: string, clientId: string): Promise<Consent | undefined> {
      return (await store.get('consents', rowId(accountId, clientId)))?.record;
    },

    /** All that a person allowed. */
    allForAccount: (accountId: string): Promise<readonly Consent[]> =>
      Array.fromAsync(every(store, 'consents', 'accountId', accountId), ({ record }) => record),

    /**
     * The application got a token under it. Kept to the hour, so that issuing costs no write; lost where the store fails or
     * somebody changes the consent that moment.
     */
    async used(accountId: string, clientId: string): Promise<void> {
      const id = rowId(accountId, clientId);
      const at = now();
      if (at - (noted.get(id) ?? Number.NEGATIVE_INFINITY) < EXACT_TO) return;
      if (noted.size >= MOST_NOTED) noted.clear();
      noted.set(id, at);
      try {
        const row = await store.get('consents', id);
        if (!row || at - (row.record.lastUsedAt ?? 0) < EXACT_TO) return;
        await store.commit([{ put: 'consents', id, record: { ...row.record, lastUsedAt: at }, expect: row.version }]);
      } catch {
        // Nobody waits for this, and it is told by the next use.
        noted.delete(id);
      }
    },

    /** Forgets the consent and ends what the application holds for the person. */
    async withdraw(accountId: string, clientId: string): Promise<void> {
      await sessions.endForPair(accountId, clientId, [
        { remove: 'consents', id: rowId(accountId, clientId) },
        audit.record('consent.withdrawn', { accountId, clientId }),
      ]);
    },
  };
}
