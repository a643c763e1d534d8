import type { Clock } from '../lib/index.ts';
import type { Consent, Page, Store } from '../store/index.ts';
import type { Audit } from './audit.ts';
import { retryOnConflict } from './retry.ts';
import type { Sessions } from './sessions.ts';

export type Consents = ReturnType<typeof createConsents>;

export interface Allowance {
  readonly accountId: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly claims?: readonly string[];
  /** Scopes by resource URI. */
  readonly resources?: Readonly<Record<string, readonly string[]>>;
}

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly audit: Audit;
  readonly sessions: Sessions;
}

const rowId = (accountId: string, clientId: string): string => `${accountId}:${clientId}`;
const union = (a: readonly string[] = [], b: readonly string[] = []): string[] => [...new Set([...a, ...b])];

/** What people allowed applications to do, remembered until they withdraw it. */
export function createConsents({ store, now, audit, sessions }: Options) {
  return {
    /** Adds to what was allowed before; two tabs allowing at once both count. */
    remember({ accountId, clientId, scopes, claims = [], resources = {} }: Allowance): Promise<Consent> {
      return retryOnConflict(async () => {
        const id = rowId(accountId, clientId);
        const before = await store.get('consents', id);
        const named = union(Object.keys(before?.record.resources ?? {}), Object.keys(resources));
        const record: Consent = {
          accountId,
          clientId,
          scopes: union(before?.record.scopes, scopes),
          claims: union(before?.record.claims, claims),
          resources: Object.fromEntries(
            named.map((uri) => [uri, union(before?.record.resources[uri], resources[uri])]),
          ),
          createdAt: before?.record.createdAt ?? now(),
          updatedAt: now(),
        };
        await store.commit([
          { put: 'consents', id, record, expect: before?.version ?? 'absent' },
          audit.record('consent.given', { accountId, clientId, details: { scopes: scopes.join(' ') } }),
        ]);
        return record;
      });
    },

    async find(accountId: string, clientId: string): Promise<Consent | undefined> {
      return (await store.get('consents', rowId(accountId, clientId)))?.record;
    },

    async listForAccount(accountId: string, page?: Page): Promise<{ consents: readonly Consent[]; next?: string }> {
      const { rows, next } = await store.find('consents', 'accountId', accountId, page);
      return { consents: rows.map(({ record }) => record), ...(next && { next }) };
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
