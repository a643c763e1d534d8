import { type Clock, newId, Refusal, type SealingKey, seal, sha256, unseal } from '../lib/index.ts';
import {
  type Account,
  type Change,
  type Factor,
  type FactorKind,
  type Passkey,
  type Row,
  type Store,
  StoreConflict,
} from '../store/index.ts';
import { endingAll } from './account-changes.ts';
import type { Audit } from './audit.ts';
import { every } from './every.ts';
import { factorUse } from './factor-use.ts';
import { type Letters, localeOf } from './letters.ts';
import { checkName } from './names.ts';
import { retryOnConflict } from './retry.ts';
import type { Sessions } from './sessions.ts';
import { canComeWithout } from './ways-in.ts';

/** A factor with its id. */
export type OwnFactor = Factor & { readonly id: string };

/** Who adds a factor, in the epoch of the sign-in they do it in. */
type Enrolling = Pick<Account, 'epoch'> & { readonly id: string };

export type Factors = ReturnType<typeof createFactors>;

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly audit: Audit;
  readonly sessions: Sessions;
  readonly letters: Letters;
  readonly sealingKey: SealingKey;
}

/** Far more than anybody has; a bound on what one account may store. */
const MOST = 20;

const LONGEST_NAME = 60;

const own = ({ id, record }: Row<Factor>): OwnFactor => ({ id, ...record });

/** A credential belongs to one person: its row can exist once. */
const passkeyId = (credential: string): string => `fac_${sha256(credential)}`;

const unknown = () => new Refusal('factor_unknown', 'there is no such factor');

/** What people own beside a password to prove who they are. Recovery codes have a file of their own. */
export function createFactors({ store, now, audit, sessions, letters, sealingKey }: Options) {
  const use = factorUse({ store, now });

  async function list(accountId: string): Promise<OwnFactor[]> {
    const found = await Array.fromAsync(every(store, 'factors', 'accountId', accountId), own);
    return found.toSorted((a, b) => a.createdAt - b.createdAt);
  }

  /** @throws Refusal `factor_unknown` where this person owns none of this id */
  async function existing(accountId: string, id: string): Promise<Row<Factor>> {
    const row = await store.get('factors', id);
    if (row?.record.accountId !== accountId || row.record.kind === 'recovery') throw unknown();
    return row;
  }

  async function add(
    { id: accountId, epoch }: Enrolling,
    id: string,
    record: Omit<Factor, 'accountId' | 'createdAt'>,
    spent: Change,
  ): Promise<OwnFactor> {
    checkName(record.name, LONGEST_NAME);
    return retryOnConflict(async () => {
      const { record: owner, version } = await ownerOf(accountId);
      if (owner.epoch !== epoch) throw new Refusal('enrolment_over', 'this enrolment ended with the sign-in it was in');
      if ((await list(accountId)).length >= MOST)
        throw new Refusal('factors_full', `nobody has more than ${MOST} factors: remove one first`);
      const whole: Factor = { ...record, accountId, createdAt: now() };
      try {
        await store.commit([
          spent,
          { put: 'factors', id, record: whole, expect: 'absent' },
          // Written as it is: whoever takes all of them away at that moment takes this one too.
          { put: 'accounts', id: accountId, record: owner, expect: version },
          audit.record('factor.added', { accountId, details: { kind: record.kind, factor: id } }),
          told('factor-added', accountId, owner),
        ]);
      } catch (error) {
        if (!(error instanceof StoreConflict) || error.table === 'accounts') throw error;
        if (error.table === 'factors') throw new Refusal('factor_taken', 'this passkey is enrolled already');
        throw new Refusal('enrolment_over', 'this enrolment was finished already');
      }
      return { id, ...whole };
    });
  }

  /** @throws Refusal `user_unknown` */
  async function ownerOf(accountId: string): Promise<Row<Account>> {
    const account = await store.get('accounts', accountId);
    if (!account) throw new Refusal('user_unknown', 'there is no such person');
    return account;
  }

  /** Whoever did it, its owner hears of it (NIST SP 800-63B-4 §4.6). */
  const told = (name: 'factor-added' | 'factor-removed', accountId: string, { email, locale }: Account): Change =>
    letters.send({ name, to: email, locale: localeOf(locale), link: letters.pageAt('/account') }, accountId);

  /** @param raised the epoch at least: no sign-in goes on that was begun with what is gone. */
  function removal(
    { id: accountId, record: owner, version }: Row<Account>,
    gone: readonly OwnFactor[],
    raised: Pick<Account, 'epoch' | 'ended'> = { epoch: owner.epoch + 1 },
  ): Change[] {
    const record = { ...owner, ...raised, updatedAt: now() };
    return [
      ...gone.map(({ id }): Change => ({ remove: 'factors', id })),
      { put: 'accounts', id: accountId, record, expect: version },
      ...(gone.length > 0 ? [told('factor-removed', accountId, owner)] : []),
    ];
  }

  return {
    /** All that a person owns, the oldest first. */
    list,

    /** Whether the person has something to prove themselves with beside the password. */
    async hasSecond(accountId: string): Promise<boolean> {
      return (await list(accountId)).some(({ kind }) => kind !== 'recovery');
    },

    /** The passkey with this credential id, whoever owns it. */
    async passkey(credential: string): Promise<OwnFactor | undefined> {
      const row = await store.get('factors', passkeyId(credential));
      return row && own(row);
    },

    /**
     * @param spent uses up the challenge that was answered, in the same commit
     * @throws Refusal `factor_taken`, `name_invalid`, `factors_full`, `enrolment_over`
     */
    addPasskey(owner: Enrolling, passkey: Passkey, name: string | undefined, spent: Change): Promise<OwnFactor> {
      return add(owner, passkeyId(passkey.credential), { kind: 'passkey', ...(name && { name }), passkey }, spent);
    },

    /**
     * @param step the time step its first code was for: that code is used
     * @throws Refusal `name_invalid`, `factors_full`, `enrolment_over`
     */
    addTotp(
      owner: Enrolling,
      secret: string,
      step: number,
      name: string | undefined,
      spent: Change,
    ): Promise<OwnFactor> {
      const id = newId('fac');
      const sealed = seal(sealingKey, `factors/${id}`, secret);
      return add(owner, id, { kind: 'totp', ...(name && { name }), sealed, lastStep: step }, spent);
    },

    /** The key of a TOTP factor, base32. */
    totpSecret: ({ id, sealed = '' }: OwnFactor): string => unseal(sealingKey, `factors/${id}`, sealed),

    /** Whether this time step was still unused; it is used from now on, and so is every one before it. */
    useStep(id: string, step: number): Promise<boolean> {
      return use(id, (record) =>
        (record.lastStep ?? -1) < step ? { record: { ...record, lastStep: step } } : undefined,
      );
    },

    /**
     * What a passkey said of itself when it answered; false where the challenge was answered before, or its counter has
     * not risen (WebAuthn §7.2 step 22: there may be a copy of it).
     */
    usePasskey(
      id: string,
      { counter, backedUp }: Pick<Passkey, 'counter' | 'backedUp'>,
      spent: Change,
    ): Promise<boolean> {
      return use(id, (record) => {
        if (!record.passkey) return undefined;
        const before = record.passkey.counter;
        if ((counter > 0 || before > 0) && counter <= before) return undefined;
        return { record: { ...record, passkey: { ...record.passkey, counter, backedUp } }, alongside: [spent] };
      });
    },

    /** @throws Refusal `factor_unknown`, `name_invalid` */
    async rename(accountId: string, id: string, name: string): Promise<void> {
      checkName(name, LONGEST_NAME);
      return retryOnConflict(async () => {
        const row = await existing(accountId, id);
        await store.commit([{ put: 'factors', id, record: { ...row.record, name }, expect: row.version }]);
      });
    },

    /**
     * Takes one away, and the recovery codes with the last one. Sign-ins under way begin anew; what is signed in stays.
     * @throws Refusal `factor_unknown`, `factor_needed` where it is the last and not even that may go, `last_way_in` where
     * they could not sign in any more
     */
    remove(accountId: string, id: string, { evenLast }: { readonly evenLast: boolean }): Promise<void> {
      return retryOnConflict(async () => {
        // First of all: what is decided below holds for the account as it is now, or is decided anew.
        const owner = await ownerOf(accountId);
        const row = await existing(accountId, id);
        const rest = (await list(accountId)).filter((factor) => factor.id !== id);
        const last = rest.every(({ kind }) => kind === 'recovery');
        if (last && !evenLast) throw new Refusal('factor_needed', 'the last second factor is needed to sign in');
        if (!(await canComeWithout(store, owner, id)))
          throw new Refusal('last_way_in', 'this passkey is the only way this person can sign in');
        await store.commit([
          ...removal(owner, [own(row), ...(last ? rest : [])]),
          audit.record('factor.removed', { accountId, details: { kind: row.record.kind, factor: id } }),
        ]);
      });
    },

    /**
     * Takes all of them away, for somebody who lost everything, and ends all that was issued to them.
     * @throws Refusal `user_unknown`
     */
    reset(accountId: string): Promise<readonly FactorKind[]> {
      return retryOnConflict(async () => {
        const owner = await ownerOf(accountId);
        const all = await list(accountId);
        await sessions.endForAccount(accountId, [
          ...removal(owner, all, endingAll(owner.record)),
          audit.record('factors.reset', { accountId, details: { factors: all.length } }),
        ]);
        return all.map(({ kind }) => kind);
      });
    },
  };
}
