import { Refusal } from '../lib/index.ts';
import type { Account, Change, Row, Store } from '../store/index.ts';
import type { Audit } from './audit.ts';
import { every } from './every.ts';
import { canComeWithout } from './ways-in.ts';

export type Operators = ReturnType<typeof createOperators>;

interface Options {
  readonly store: Store;
  readonly audit: Pick<Audit, 'actor'>;
}

type Somebody = Pick<Row<Account>, 'id' | 'record'>;

const isOperator = ({ admin, disabled }: Pick<Account, 'admin' | 'disabled'>): boolean => admin && !disabled;

/** That somebody is left who looks after the server. */
export function createOperators({ store, audit }: Options) {
  /** Who goes does not leave it to somebody who never had a way to sign in, unless they had none either. */
  async function another(before: Somebody): Promise<Row<Account> | undefined> {
    const cannotCome = !(await canComeWithout(store, before));
    const isOne = async (row: Row<Account>): Promise<boolean> =>
      row.id !== before.id && isOperator(row.record) && (cannotCome || (await canComeWithout(store, row)));
    // Nearly always it is whoever asks: the others need not be looked through.
    const by = audit.actor()?.by;
    const asking = by === undefined ? undefined : await store.get('accounts', by);
    if (asking && (await isOne(asking))) return asking;
    for await (const row of every(store, 'accounts', 'all', '')) if (await isOne(row)) return row;
    return undefined;
  }

  return {
    /**
     * For the commit after which somebody is no operator any more: another one, written as they are. Of two that take away each
     * other, one finds the row of the other changed and is decided anew.
     * @param before as whom the commit expects them
     * @throws Refusal `last_operator`
     */
    async oneStays(before: Somebody): Promise<readonly Change[]> {
      if (!isOperator(before.record)) return [];
      const stays = await another(before);
      if (stays) return [{ put: 'accounts', id: stays.id, record: stays.record, expect: stays.version }];
      throw new Refusal(
        'last_operator',
        'nobody else is an operator who can sign in: make somebody one first, or do this on the command line',
      );
    },
  };
}
