import { type Clock, Refusal } from '../lib/index.ts';
import type { Account, AuditEvent, Change, Row, Store } from '../store/index.ts';
import type { Audit } from './audit.ts';
import { emailKey } from './email.ts';
import { retryOnConflict } from './retry.ts';

/** An account with its id: a person. */
export type Person = Account & { readonly id: string };

export const personOf = ({ id, record }: Row<Account>): Person => ({ id, ...record });

/**
 * A new epoch in which nothing is good that was issued before: to be committed with its end (sessions.ts).
 * @param except the id of the one session that goes on
 */
export const endingAll = ({ epoch }: Pick<Account, 'epoch'>, except?: string) => ({
  epoch: epoch + 1,
  ended: { epoch: epoch + 1, ...(except !== undefined && { except }) },
});

/** What else happens in the same commit; asked for anew at each attempt at it. */
export type Alongside = () => Promise<readonly Change[]>;

export const nothingElse: Alongside = async () => [];

interface Committed {
  /** The id of the session in which it is done. */
  readonly session?: string | undefined;
  /** Of the event. */
  readonly details?: AuditEvent['details'];
  readonly commit?: (changes: readonly Change[]) => Promise<unknown>;
  readonly also?: (before: Account) => Promise<readonly Change[]>;
}

export type AccountChanges = ReturnType<typeof createAccountChanges>;

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly audit: Audit;
}

/** The one way an account's row is changed: from what it is at that moment, with its audit event. */
export function createAccountChanges({ store, now, audit }: Options) {
  /**
   * @param session as in {@link Committed}. It is looked for after the row is read: what ends somebody's sessions changes the row in
   * the same commit, so that whoever then expects the row as it was read does nothing in a session that is over.
   * @throws Refusal `user_unknown`, `session_over`
   */
  async function existing(id: string, session?: string): Promise<Row<Account>> {
    const row = await store.get('accounts', id);
    if (!row) throw new Refusal('user_unknown', `there is no person ${JSON.stringify(id.slice(0, 80))}`);
    if (session !== undefined && (await store.find('sessions', 'uid', session, { limit: 1 })).rows.length === 0)
      throw new Refusal('session_over', 'the session in which it was asked for has ended');
    return row;
  }

  return {
    existing,

    /**
     * The rows that say whose an address is.
     * @throws Refusal `email_taken` where the new one is somebody else's
     */
    async handOver(id: string, from: string, to: string): Promise<readonly Change[]> {
      const [old, key] = [emailKey(from), emailKey(to)];
      if (old === key) return [];
      if (await store.get('emails', key)) throw new Refusal('email_taken', `${to} belongs to somebody already`);
      return [
        { put: 'emails', id: key, record: { accountId: id }, expect: 'absent' },
        { remove: 'emails', id: old },
      ];
    },

    /** @throws Refusal `user_unknown`, `session_over`, and whatever `also` throws */
    change(
      id: string,
      event: string,
      alter: (record: Account) => Partial<Account>,
      { details = {}, commit = (changes) => store.commit(changes), also = nothingElse, session }: Committed = {},
    ): Promise<Person> {
      return retryOnConflict(async () => {
        const row = await existing(id, session);
        const altered = alter(row.record);
        const { importId, passwordMailed, ...rest } = row.record;
        // A new password is no longer the one they came with, or the one they were mailed a link for.
        const before = altered.passwordHash === undefined ? row.record : rest;
        const record: Account = { ...before, ...altered, updatedAt: now() };
        await commit([
          { put: 'accounts', id, record, expect: row.version },
          audit.record(event, { accountId: id, details }),
          ...(await also(row.record)),
        ]);
        return { id, ...record };
      });
    },
  };
}
