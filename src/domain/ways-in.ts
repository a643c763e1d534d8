import type { Account, Row, Store } from '../store/index.ts';
import { every } from './every.ts';

/**
 * Whether somebody could still begin a sign-in if this one (an account elsewhere, a passkey) were gone; where none goes, whether
 * they can. To be decided upon the account's row as it was read before, in a commit that expects it: so that two ways never go at
 * one moment, each for the other's sake.
 */
export async function canComeWithout(
  store: Store,
  { id, record }: Pick<Row<Account>, 'id' | 'record'>,
  gone?: string,
): Promise<boolean> {
  if (record.passwordHash !== undefined) return true;
  for await (const link of every(store, 'identities', 'accountId', id)) if (link.id !== gone) return true;
  for await (const factor of every(store, 'factors', 'accountId', id))
    if (factor.record.kind === 'passkey' && factor.id !== gone) return true;
  return false;
}
