import type { Clock } from '../lib/index.ts';
import { type Change, type Factor, type Store, StoreConflict } from '../store/index.ts';
import { retryOnConflict } from './retry.ts';

/** What becomes of a factor by being used, and what else happens with it. */
export interface Used {
  readonly record: Factor;
  readonly alongside?: readonly Change[];
}

/**
 * Using a factor up (a time step, a recovery code, a counter) is one commit that expects the row as it was read: of all who
 * try at once, in however many processes, one wins.
 */
export const factorUse =
  ({ store, now }: { readonly store: Store; readonly now: Clock }) =>
  /**
   * @param alter gives nothing where there is nothing to use
   * @returns whether it was used; false too where a challenge that goes along was answered before
   */
  (id: string, alter: (record: Factor) => Used | undefined): Promise<boolean> =>
    retryOnConflict(async () => {
      const row = await store.get('factors', id);
      const used = row && alter(row.record);
      if (!used) return false;
      try {
        await store.commit([
          { put: 'factors', id, record: { ...used.record, lastUsedAt: now() }, expect: row.version },
          ...(used.alongside ?? []),
        ]);
        return true;
      } catch (error) {
        if (error instanceof StoreConflict && error.table === 'challenges') return false;
        throw error;
      }
    });
