import { type Clock, newId, Refusal } from '../lib/index.ts';
import { type Account, type Change, type Page, type Row, type Store, StoreConflict } from '../store/index.ts';
import type { Audit } from './audit.ts';
import { emailKey, parseEmail } from './email.ts';
import { every } from './every.ts';
import type { Imports } from './imports.ts';
import { checkName } from './names.ts';
import type { Passwords } from './passwords.ts';
import { retryOnConflict } from './retry.ts';
import type { Sessions } from './sessions.ts';

/** An account with its id: a person. */
export type Person = Account & { readonly id: string };

export interface NewPerson {
  readonly email: string;
  readonly name?: string | undefined;
  readonly password?: string | undefined;
  readonly admin?: boolean | undefined;
  readonly emailVerified?: boolean | undefined;
}

export type Accounts = ReturnType<typeof createAccounts>;

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly passwords: Passwords;
  readonly audit: Audit;
  readonly sessions: Sessions;
  readonly imports: Imports;
}

/** Code points, so that an emoji is one character to the person who typed it. */
const PASSWORD_LENGTH = { min: 8, max: 128 };

/** What goes with a person who is removed. */
const BELONGINGS = ['consents', 'factors'] as const;

const person = ({ id, record }: Row<Account>): Person => ({ id, ...record });

/** People: who they are, whether they may sign in, and whether a password is theirs. */
export function createAccounts({ store, now, passwords, audit, sessions, imports }: Options) {
  async function existing(id: string): Promise<Row<Account>> {
    const row = await store.get('accounts', id);
    if (!row) throw new Refusal('user_unknown', `there is no person ${JSON.stringify(id.slice(0, 80))}`);
    return row;
  }

  async function byEmail(email: string): Promise<Person | undefined> {
    const owner = await store.get('emails', emailKey(email));
    if (!owner || (await imports.isPending(owner.record))) return undefined;
    const row = await store.get('accounts', owner.record.accountId);
    return row && person(row);
  }

  /** Changes the record as it is at that moment, together with what else has to happen. */
  function change(
    id: string,
    event: string,
    alter: (record: Account) => Partial<Account>,
    commit: (changes: readonly Change[]) => Promise<unknown>,
  ): Promise<Person> {
    return retryOnConflict(async () => {
      const row = await existing(id);
      const altered = alter(row.record);
      const { importId, ...rest } = row.record;
      // A new password is no longer the one they came with.
      const before = altered.passwordHash === undefined ? row.record : rest;
      const record: Account = { ...before, ...altered, updatedAt: now() };
      await commit([{ put: 'accounts', id, record, expect: row.version }, audit.record(event, { accountId: id })]);
      return { id, ...record };
    });
  }

  /**
   * Keeps a password that came from elsewhere as ours are kept, unless somebody changed it meanwhile. Nothing that began
   * with it ends: it is the same password.
   */
  async function adopt({ id, passwordHash: imported }: Person, password: string): Promise<void> {
    const passwordHash = await passwords.hash(password).catch((error: unknown) => {
      // Too busy: the next sign-in does it.
      if (error instanceof Refusal) return undefined;
      throw error;
    });
    if (passwordHash === undefined) return;
    await retryOnConflict(async () => {
      const row = await store.get('accounts', id);
      if (!row || row.record.passwordHash !== imported) return;
      const { importId, ...rest } = row.record;
      await store.commit([
        { put: 'accounts', id, record: { ...rest, passwordHash, updatedAt: now() }, expect: row.version },
        audit.record('account.password_adopted', { accountId: id, details: { import: importId ?? '' } }),
      ]);
    });
  }

  const ending = (id: string) => (changes: readonly Change[]) => sessions.endForAccount(id, changes);

  return {
    byEmail,

    async get(id: string): Promise<Person | undefined> {
      const row = await store.get('accounts', id);
      return row && person(row);
    },

    /** In the order of their ids. */
    async list(page?: Page): Promise<{ people: readonly Person[]; next?: string }> {
      const { rows, next } = await store.find('accounts', 'all', '', page);
      return { people: (await imports.present(rows)).map(person), ...(next && { next }) };
    },

    /**
     * @throws Refusal `email_invalid`, `email_taken`, `name_invalid`, `password_too_short`, `password_too_long`, `busy`
     */
    async add({ email: text, name, password, admin = false, emailVerified = false }: NewPerson): Promise<Person> {
      const { email, key } = parseEmail(text);
      checkName(name);
      if (password !== undefined) checkPassword(password);
      const taken = () => new Refusal('email_taken', `${email} belongs to somebody already`);
      if (await store.get('emails', key)) throw taken();
      const id = newId('usr');
      const at = now();
      const record: Account = {
        email,
        emailVerified,
        ...(name !== undefined && { name }),
        ...(password !== undefined && { passwordHash: await passwords.hash(password) }),
        admin,
        disabled: false,
        epoch: 0,
        createdAt: at,
        updatedAt: at,
      };
      try {
        await store.commit([
          { put: 'emails', id: key, record: { accountId: id }, expect: 'absent' },
          { put: 'accounts', id, record, expect: 'absent' },
          audit.record('account.added', { accountId: id, details: { admin } }),
        ]);
      } catch (error) {
        if (error instanceof StoreConflict) throw taken();
        throw error;
      }
      return { id, ...record };
    },

    /** A disabled person cannot sign in, and all they had is ended. @throws Refusal `user_unknown` */
    setDisabled(id: string, disabled: boolean): Promise<Person> {
      return disabled
        ? change(id, 'account.disabled', ({ epoch }) => ({ disabled, epoch: epoch + 1 }), ending(id))
        : change(
            id,
            'account.enabled',
            () => ({ disabled }),
            (changes) => store.commit(changes),
          );
    },

    /** Ends all that was issued to the person. @throws Refusal as {@link add}, and `user_unknown` */
    async setPassword(id: string, password: string): Promise<Person> {
      checkPassword(password);
      await existing(id);
      const passwordHash = await passwords.hash(password);
      return change(id, 'account.password_changed', ({ epoch }) => ({ passwordHash, epoch: epoch + 1 }), ending(id));
    },

    /** The person, what belongs to them and everything issued to them. @throws Refusal `user_unknown` */
    remove(id: string): Promise<void> {
      return retryOnConflict(async () => {
        const { record, version } = await existing(id);
        const belongings: Change[] = [];
        for (const table of BELONGINGS)
          for await (const row of every(store, table, 'accountId', id)) belongings.push({ remove: table, id: row.id });
        await sessions.endForAccount(id, [
          { remove: 'accounts', id, expect: version },
          { remove: 'emails', id: emailKey(record.email) },
          ...belongings,
          audit.record('account.removed', { accountId: id }),
        ]);
      });
    },

    /**
     * The person whose address and password these are. For everybody else the answer and the work are one and the same:
     * unknown, disabled, without a password, or wrong.
     * @throws Refusal `busy`
     */
    async authenticate(email: string, password: string): Promise<Person | undefined> {
      const [found, work] = await Promise.all([byEmail(email), imports.work()]);
      const hash = found?.disabled ? undefined : found?.passwordHash;
      if (!hash) await passwords.decoy(password, work);
      else if (await passwords.verify(hash, password, work)) {
        if (found?.importId) await adopt(found, password);
        return found;
      }
      return undefined;
    },
  };
}

function checkPassword(password: string): void {
  const length = [...password.normalize('NFKC')].length;
  if (length < PASSWORD_LENGTH.min)
    throw new Refusal('password_too_short', `a password has at least ${PASSWORD_LENGTH.min} characters`);
  if (length > PASSWORD_LENGTH.max)
    throw new Refusal('password_too_long', `a password has at most ${PASSWORD_LENGTH.max} characters`);
}
