import { type Clock, newId, Refusal } from '../lib/index.ts';
import type { Account, Change, Page, Store } from '../store/index.ts';
import type { Locale } from '../words/index.ts';
import {
  type AccountChanges,
  type Alongside,
  endingAll,
  nothingElse,
  type Person,
  personOf,
} from './account-changes.ts';
import type { Assurance } from './assurance.ts';
import type { Audit } from './audit.ts';
import { createAuthentication } from './authentication.ts';
import { emailKey, parseEmail } from './email.ts';
import { every } from './every.ts';
import type { Imports } from './imports.ts';
import { type Letters, localeOf } from './letters.ts';
import { checkName } from './names.ts';
import type { Operators } from './operators.ts';
import type { PasswordPolicy } from './password-policy.ts';
import type { Passwords } from './passwords.ts';
import { retryOnConflict } from './retry.ts';
import type { Sessions } from './sessions.ts';

/** What an operator says of somebody; what is left out stays. */
interface Correction {
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly emailVerified?: boolean | undefined;
  readonly admin?: boolean | undefined;
  /** A disabled person cannot sign in, and all they had is ended. */
  readonly disabled?: boolean | undefined;
}

/** Who may be taken away. */
interface Taking {
  /** The last operator too: whoever asks can make another one without an operator. */
  readonly evenLast?: boolean | undefined;
}

interface NewPerson {
  readonly email: string;
  readonly name?: string | undefined;
  readonly password?: string | undefined;
  readonly admin?: boolean | undefined;
  readonly emailVerified?: boolean | undefined;
  readonly locale?: Locale | undefined;
}

/** What may become known together with a new password. */
interface WithPassword {
  readonly name?: string | undefined;
  readonly locale?: Locale | undefined;
  readonly emailVerified?: true | undefined;
  /** They were let choose it by a mailed link alone. */
  readonly mailed?: true | undefined;
  readonly also?: Alongside | undefined;
  /** The session in which it was chosen: it goes on. Where it is over by the time, nothing was chosen. */
  readonly exceptSession?: string | undefined;
}

export type Accounts = ReturnType<typeof createAccounts>;

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly passwords: Passwords;
  readonly policy: PasswordPolicy;
  readonly audit: Audit;
  readonly sessions: Sessions;
  readonly imports: Imports;
  readonly assurance: Pick<Assurance, 'passwordAlone'>;
  readonly letters: Letters;
  readonly changes: AccountChanges;
  readonly operators: Operators;
}

/** What goes with a person who is removed. */
const BELONGINGS = ['consents', 'factors', 'identities', 'links'] as const;

/** People: who they are, whether they may sign in, and whether a password is theirs. */
export function createAccounts(options: Options) {
  const { store, now, passwords, policy, audit, sessions, imports, assurance, letters, operators } = options;
  const { existing, change, handOver } = options.changes;

  async function byEmail(email: string): Promise<Person | undefined> {
    const owner = await store.get('emails', emailKey(email));
    if (!owner || (await imports.isPending(owner.record))) return undefined;
    const row = await store.get('accounts', owner.record.accountId);
    return row && personOf(row);
  }

  const ending = (id: string, except?: string) => (changes: readonly Change[]) =>
    sessions.endForAccount(id, changes, { except });

  /** Whether a password is all that is asked of a person. */
  const isAlone = (someone: Person): Promise<boolean> => assurance.passwordAlone(someone, []);

  /**
   * What an operator knows better, all of it or nothing. Another address is not proven unless that is said too; the old one, where
   * it was, is told, and what was mailed there is good for nothing. Whoever becomes an operator, or is none any more, is signed out
   * everywhere: other rules hold for their sign-ins. So is whoever is disabled, and cannot sign in.
   * @throws Refusal `user_unknown`, `name_invalid`, `email_invalid`, `email_taken`, `last_operator`
   */
  async function update(id: string, correction: Correction, { evenLast = false }: Taking = {}): Promise<Person> {
    const { name, email: text, emailVerified, admin, disabled } = correction;
    checkName(name);
    const email = text === undefined ? undefined : parseEmail(text).email;
    const corrected = Object.entries({ name, email, email_verified: emailVerified, admin }).flatMap(([what, to]) =>
      to === undefined ? [] : [what],
    );
    const [event, other] = [
      ...(corrected.length > 0 ? ['account.updated'] : []),
      ...(disabled === undefined ? [] : [disabled ? 'account.disabled' : 'account.enabled']),
    ];
    if (event === undefined) return personOf(await existing(id));
    let ends = false;
    const moves = (before: Account) => email !== undefined && emailKey(email) !== emailKey(before.email);
    const alter = (before: Account): Partial<Account> => {
      ends = disabled === true || (admin !== undefined && admin !== before.admin);
      return {
        ...(name !== undefined && { name }),
        ...(email !== undefined && { email }),
        ...(moves(before) && { emailVerified: false, epoch: before.epoch + 1 }),
        ...(emailVerified !== undefined && { emailVerified }),
        ...(admin !== undefined && { admin }),
        ...(disabled !== undefined && { disabled }),
        ...(ends && endingAll(before)),
      };
    };
    return change(id, event, alter, {
      ...(corrected.length > 0 && {
        details: { changed: corrected.join(' '), ...(admin !== undefined && { admin }) },
      }),
      commit: (changes) => (ends ? ending(id)(changes) : store.commit(changes)),
      also: async (before) => [
        ...(other === undefined ? [] : [audit.record(other, { accountId: id })]),
        ...((disabled || admin === false) && !evenLast ? await operators.oneStays({ id, record: before }) : []),
        ...(email === undefined ? [] : await handOver(id, before.email, email)),
        ...(moves(before) && before.emailVerified
          ? [letters.send({ name: 'email-changed', to: before.email, locale: localeOf(before.locale) }, id)]
          : []),
      ],
    });
  }

  return {
    byEmail,

    async get(id: string): Promise<Person | undefined> {
      const row = await store.get('accounts', id);
      return row && personOf(row);
    },

    /** In the order of their ids. */
    async list(page?: Page): Promise<{ people: readonly Person[]; next?: string }> {
      const { rows, next } = await store.find('accounts', 'all', '', page);
      return { people: (await imports.present(rows)).map(personOf), ...(next && { next }) };
    },

    /**
     * @throws Refusal `email_invalid`, `email_taken`, `name_invalid`, those of password-policy.ts, `busy`, and whatever
     * `also` throws
     */
    async add(newcomer: NewPerson, also: (person: Person) => ReturnType<Alongside> = nothingElse): Promise<Person> {
      const { email: text, name, password, admin = false, emailVerified = false, locale } = newcomer;
      const { email, key } = parseEmail(text);
      checkName(name);
      const id = newId('usr');
      const at = now();
      const bare: Account = {
        email,
        emailVerified,
        ...(name !== undefined && { name }),
        ...(locale && { locale }),
        admin,
        disabled: false,
        epoch: 0,
        createdAt: at,
        updatedAt: at,
      };
      if (password !== undefined)
        await policy.check(password, { own: [email, name], alone: await isAlone({ id, ...bare }) });
      const taken = () => new Refusal('email_taken', `${email} belongs to somebody already`);
      if (await store.get('emails', key)) throw taken();
      const record = password === undefined ? bare : { ...bare, passwordHash: await passwords.hash(password) };
      const person: Person = { id, ...record };
      return retryOnConflict(async () => {
        if (await store.get('emails', key)) throw taken();
        await store.commit([
          { put: 'emails', id: key, record: { accountId: id }, expect: 'absent' },
          { put: 'accounts', id, record, expect: 'absent' },
          audit.record('account.added', { accountId: id, details: { admin } }),
          ...(await also(person)),
        ]);
        return person;
      });
    },

    update,

    /** @throws Refusal `user_unknown`, `last_operator` */
    setDisabled: (id: string, disabled: boolean, taking?: Taking): Promise<Person> => update(id, { disabled }, taking),

    /**
     * Ends all that was issued to the person, and tells them where they had another password before.
     * @throws Refusal as {@link add}, `user_unknown`, and `session_over`
     */
    async setPassword(
      id: string,
      password: string,
      { name, locale, emailVerified, mailed, also = nothingElse, exceptSession }: WithPassword = {},
    ): Promise<Person> {
      checkName(name);
      const someone = personOf(await existing(id));
      await policy.check(password, { own: [someone.email, someone.name, name], alone: await isAlone(someone) });
      const known = {
        passwordHash: await passwords.hash(password),
        ...(name !== undefined && { name }),
        ...(locale && { locale }),
        ...(emailVerified && { emailVerified }),
        ...(mailed && { passwordMailed: mailed }),
      };
      const told = ({ email, locale: usual }: Account): Change =>
        letters.send(
          {
            name: 'password-changed',
            to: email,
            locale: locale ?? localeOf(usual),
            link: letters.pageAt('/account/forgot'),
          },
          id,
        );
      return change(id, 'account.password_changed', (record) => ({ ...known, ...endingAll(record, exceptSession) }), {
        session: exceptSession,
        commit: ending(id, exceptSession),
        also: async (before) => [...(before.passwordHash ? [told(before)] : []), ...(await also())],
      });
    },

    /** @throws Refusal `user_unknown`, `name_invalid` */
    async rename(id: string, name: string): Promise<Person> {
      checkName(name);
      return change(id, 'account.renamed', () => ({ name }));
    },

    /** Ends every sign-in of the person, and all that was issued to them. @throws Refusal `user_unknown` */
    signOut: (id: string): Promise<Person> => change(id, 'account.signed_out', endingAll, { commit: ending(id) }),

    /** The fewest characters of a password that this person, or somebody new, may choose. */
    async minimumFor(id?: string): Promise<number> {
      const row = id === undefined ? undefined : await store.get('accounts', id);
      return policy.minimum(await isAlone(row ? personOf(row) : NOBODY));
    },

    /** The person, what belongs to them and everything issued to them. @throws Refusal `user_unknown`, `last_operator` */
    remove(id: string, { evenLast = false }: Taking = {}): Promise<void> {
      return retryOnConflict(async () => {
        const before = await existing(id);
        const { record, version } = before;
        const belongings: Change[] = [];
        for (const table of BELONGINGS)
          for await (const row of every(store, table, 'accountId', id)) belongings.push({ remove: table, id: row.id });
        await sessions.endForAccount(id, [
          { remove: 'accounts', id, expect: version },
          { remove: 'emails', id: emailKey(record.email) },
          ...belongings,
          ...(evenLast ? [] : await operators.oneStays(before)),
          audit.record('account.removed', { accountId: id }),
        ]);
      });
    },

    authenticate: createAuthentication({ store, now, audit, passwords, imports, byEmail }),
  };
}

/** Stands for somebody who is not here yet. */
const NOBODY: Person = {
  id: 'usr_',
  email: '',
  emailVerified: false,
  admin: false,
  disabled: false,
  epoch: 0,
  createdAt: 0,
  updatedAt: 0,
};
