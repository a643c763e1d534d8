import { type Clock, Refusal } from '../lib/index.ts';
import type { Store } from '../store/index.ts';
import type { Person } from './account-changes.ts';
import type { Audit } from './audit.ts';
import type { Imports } from './imports.ts';
import type { Passwords } from './passwords.ts';
import { retryOnConflict } from './retry.ts';

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly audit: Audit;
  readonly passwords: Passwords;
  readonly imports: Imports;
  readonly byEmail: (email: string) => Promise<Person | undefined>;
}

/** Whether a password is theirs. */
export function createAuthentication({ store, now, audit, passwords, imports, byEmail }: Options) {
  /**
   * Keeps a password as it would be kept today: one that came from elsewhere, or was hashed at another cost. Not where
   * somebody changed it since it was verified. Nothing that began with it ends: it is the same password.
   */
  async function adopt({ id, passwordHash: verified }: Person, password: string): Promise<void> {
    const passwordHash = await passwords.hash(password).catch((error: unknown) => {
      // Too busy: the next sign-in does it.
      if (error instanceof Refusal) return undefined;
      throw error;
    });
    if (passwordHash === undefined) return;
    await retryOnConflict(async () => {
      const row = await store.get('accounts', id);
      if (!row || row.record.passwordHash !== verified) return;
      const { importId, ...rest } = row.record;
      const event = importId
        ? audit.record('account.password_adopted', { accountId: id, details: { import: importId } })
        : audit.record('account.password_rehashed', { accountId: id });
      await store.commit([
        { put: 'accounts', id, record: { ...rest, passwordHash, updatedAt: now() }, expect: row.version },
        event,
      ]);
    });
  }

  /**
   * The person whose address and password these are. For everybody else the answer and the work are one and the same:
   * unknown, disabled, without a password, or wrong.
   * @throws Refusal `busy`
   */
  return async (email: string, password: string): Promise<Person | undefined> => {
    const [found, work] = await Promise.all([byEmail(email), imports.work()]);
    const hash = found?.disabled ? undefined : found?.passwordHash;
    if (!hash) await passwords.decoy(password, work);
    else if (await passwords.verify(hash, password, work)) {
      if (found && (found.importId || !passwords.isCurrent(hash))) await adopt(found, password);
      return found;
    }
    return undefined;
  };
}
