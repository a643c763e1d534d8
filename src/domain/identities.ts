import { type Clock, Refusal, sha256 } from '../lib/index.ts';
import type { Account, Change, Identity, Row, Store } from '../store/index.ts';
import type { AccountChanges, Person } from './account-changes.ts';
import type { Accounts } from './accounts.ts';
import type { Audit } from './audit.ts';
import { every } from './every.ts';
import { type Letters, localeOf } from './letters.ts';
import { retryOnConflict } from './retry.ts';
import type { RegisteredUpstream } from './upstreams.ts';
import { canComeWithout } from './ways-in.ts';

/** A link between a person here and who they are at an upstream. */
export type LinkedIdentity = Identity & { readonly id: string };

/** Somebody an upstream vouches for: an upstream and a subject there, never an e-mail address (OIDC Core §5.7). */
export interface Somebody {
  readonly upstream: Pick<RegisteredUpstream, 'id' | 'issuer'>;
  readonly subject: string;
  /** As the upstream calls them. */
  readonly label?: string | undefined;
}

export interface Newcomer extends Somebody {
  readonly email: string;
  /** Whether the upstream is believed to have made sure that the address is theirs. */
  readonly emailVerified: boolean;
  readonly name?: string | undefined;
}

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly audit: Audit;
  readonly accounts: Accounts;
  readonly changes: Pick<AccountChanges, 'existing'>;
  readonly letters: Letters;
}

const linked = ({ id, record }: Row<Identity>): LinkedIdentity => ({ id, ...record });

/** The issuer is part of it: another provider under the same name knows other people. */
const rowId = ({ upstream, subject }: Somebody): string => sha256(`${upstream.id}\n${upstream.issuer}\n${subject}`);

const taken = () => new Refusal('identity_taken', 'it is linked to somebody already');

/** Who people are elsewhere. One subject is one person here; a person may have several. */
export function createIdentities({ store, now, audit, accounts, changes, letters }: Options) {
  const newLink = (accountId: string, { upstream, subject, label }: Somebody): Identity => ({
    accountId,
    upstream: upstream.id,
    subject,
    ...(label && { label }),
    createdAt: now(),
  });

  const linkedEvent = (accountId: string, { upstream }: Somebody): Change =>
    audit.record('identity.linked', { accountId, details: { upstream: upstream.id } });

  /** A way in more, or one less: whoever did it, its owner hears of it, as of a factor (NIST SP 800-63B-4 §4.6). */
  const told = (
    name: 'identity-linked' | 'identity-unlinked',
    { id, record: { email, locale } }: Row<Account>,
  ): Change => letters.send({ name, to: email, locale: localeOf(locale), link: letters.pageAt('/account') }, id);

  /** Written as it is: whatever else is done to the person at that moment, one of the two happens first. */
  const inTurn = ({ id, record, version }: Row<Account>): Change => ({ put: 'accounts', id, record, expect: version });

  async function find(somebody: Somebody): Promise<LinkedIdentity | undefined> {
    const row = await store.get('identities', rowId(somebody));
    return row && linked(row);
  }

  async function listForAccount(accountId: string): Promise<LinkedIdentity[]> {
    const all = await Array.fromAsync(every(store, 'identities', 'accountId', accountId), linked);
    return all.toSorted((a, b) => a.createdAt - b.createdAt);
  }

  return {
    find,

    /** Every link of a person, the oldest first. */
    listForAccount,

    /**
     * Links it to a person who has proven who they are here. Linking twice is linking once.
     * @param session the id of the one in which they asked for it
     * @throws Refusal `identity_taken` where it is somebody else's, `user_unknown`, `session_over`
     */
    link(accountId: string, somebody: Somebody, session?: string): Promise<LinkedIdentity> {
      return retryOnConflict(async () => {
        const account = await changes.existing(accountId, session);
        const known = await find(somebody);
        if (known && known.accountId !== accountId) throw taken();
        if (known) return known;
        const id = rowId(somebody);
        const record = newLink(accountId, somebody);
        await store.commit([
          { put: 'identities', id, record, expect: 'absent' },
          inTurn(account),
          linkedEvent(accountId, somebody),
          told('identity-linked', account),
        ]);
        return { id, ...record };
      });
    },

    /**
     * A new person, known by what the upstream says. Of two that come at once, both are the one that was first.
     * @throws Refusal `email_taken` where the address is somebody's; as {@link Accounts.add}
     */
    async signUp({ email, emailVerified, name, ...somebody }: Newcomer): Promise<Person> {
      try {
        return await accounts.add({ email, emailVerified, name }, async ({ id }) => {
          if (await find(somebody)) throw taken();
          return [
            { put: 'identities', id: rowId(somebody), record: newLink(id, somebody), expect: 'absent' },
            linkedEvent(id, somebody),
          ];
        });
      } catch (error) {
        const first = error instanceof Refusal ? await find(somebody) : undefined;
        const person = first && (await accounts.get(first.accountId));
        if (!person) throw error;
        return person;
      }
    },

    /** Somebody has just signed in by it. */
    used(id: string): Promise<void> {
      return retryOnConflict(async () => {
        const row = await store.get('identities', id);
        if (!row) return;
        const record: Identity = { ...row.record, lastUsedAt: now() };
        await store.commit([{ put: 'identities', id, record, expect: row.version }]);
      });
    },

    /**
     * @throws Refusal `identity_unknown` where it is none of this person's, `last_way_in` where they could not sign in
     * any more
     */
    unlink(accountId: string, id: string): Promise<void> {
      return retryOnConflict(async () => {
        const account = await changes.existing(accountId);
        const row = await store.get('identities', id);
        if (!row || row.record.accountId !== accountId)
          throw new Refusal('identity_unknown', 'this person has no such link');
        if (!(await canComeWithout(store, account, id)))
          throw new Refusal(
            'last_way_in',
            'it is the only way this person can sign in: add a password or a passkey first',
          );
        await store.commit([
          { remove: 'identities', id, expect: row.version },
          inTurn(account),
          audit.record('identity.unlinked', { accountId, details: { upstream: row.record.upstream } }),
          told('identity-unlinked', account),
        ]);
      });
    },
  };
}
