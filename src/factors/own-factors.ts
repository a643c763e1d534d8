import type { Domain, OwnFactor, Person } from '../domain/index.ts';
import type { Clock } from '../lib/index.ts';
import { createEnrolment } from './enrolment.ts';
import type { Passkeys } from './passkey.ts';
import { newRecoveryCodes, spelled } from './recovery.ts';
import { orTold } from './told.ts';

/** A second factor as its owner is shown it: nothing of its secret. */
interface FactorShown {
  readonly id: string;
  readonly kind: 'passkey' | 'totp';
  readonly name?: string;
  readonly createdAt: number;
  readonly lastUsedAt?: number;
}

interface FactorsShown {
  /** The oldest first. */
  readonly factors: readonly FactorShown[];
  /** Recovery codes that are left; undefined where there are none to begin with. */
  readonly codesLeft: number | undefined;
}

const REFUSED = {
  /** It is none of theirs, or not any more. */
  factor_unknown: 'gone',
  name_invalid: 'name',
  /** It is their last, and the operator demands one. */
  factor_needed: 'needed',
  /** They could not sign in any more. */
  last_way_in: 'last',
} as const;

/** Whether it was done, or why not. */
type Kept = { readonly done: true } | { readonly error: (typeof REFUSED)[keyof typeof REFUSED] };

export type OwnFactors = ReturnType<typeof createOwnFactors>;

interface Options {
  readonly domain: Pick<Domain, 'assurance' | 'challenges' | 'factors' | 'recoveryCodes'>;
  readonly passkeys: Passkeys;
  /** The wall clock, by which authenticator apps go. */
  readonly now: Clock;
  /** What an authenticator app calls us. */
  readonly brand: string;
}

/**
 * What a person does with the factors they own, on whatever page: sees them, adds one, names it, takes it away, has new
 * recovery codes. Whoever calls it knows who is asking, and that they proved it lately (NIST SP 800-63B-4 §4.1.2, §4.5).
 */
export function createOwnFactors({ domain, ...rest }: Options) {
  const { factors, challenges, recoveryCodes, assurance } = domain;
  const enrolment = createEnrolment({ factors, challenges, ...rest });

  return {
    async list(person: Person): Promise<FactorsShown> {
      const own = await factors.list(person.id);
      return {
        factors: own.flatMap((factor) => (factor.kind === 'recovery' ? [] : [shown(factor, factor.kind)])),
        codesLeft: own.find(({ kind }) => kind === 'recovery')?.digests?.length,
      };
    },

    /**
     * What the browser makes a passkey from (`navigator.credentials.create`); undefined where it cannot, because our host is a
     * bare address.
     * @param boundTo names the interaction or session it happens in: an answer from another one is worth nothing
     */
    beginPasskey: async (person: Person, boundTo: string) =>
      enrolment.offerPasskey(person, boundTo, await factors.list(person.id)),

    /** @param answer what the browser made, as JSON */
    finishPasskey: enrolment.takePasskey,

    /** A key for an authenticator app; the same once more where `again` is the `enrolment` of an offer that still holds. */
    beginTotp: enrolment.offerTotp,

    /** The app counts from the moment its first code is right. */
    finishTotp: enrolment.takeTotp,

    rename: (person: Person, id: string, name: string): Promise<Kept> =>
      orTold(REFUSED, async () => {
        await factors.rename(person.id, id, name);
        return { done: true };
      }),

    /** Recovery codes go with the last one. What is signed in stays signed in; sign-ins under way begin anew. */
    remove: (person: Person, id: string): Promise<Kept> =>
      orTold(REFUSED, async () => {
        await factors.remove(person.id, id, { evenLast: !assurance.demandsSecond(person) });
        return { done: true };
      }),

    /** New codes instead of all earlier ones, as they are shown, once. `set` names them for {@link keepCodes}. */
    async newCodes(accountId: string): Promise<{ readonly codes: readonly string[]; readonly set: string }> {
      const codes = newRecoveryCodes();
      return { set: await recoveryCodes.put(accountId, codes), codes: codes.map(spelled) };
    },

    /** The person says that they keep these. Until then the next sign-in shows others. */
    keepCodes: (accountId: string, set: string): Promise<boolean> => recoveryCodes.keep(accountId, set),
  };
}

const shown = ({ id, name, createdAt, lastUsedAt }: OwnFactor, kind: FactorShown['kind']): FactorShown => ({
  id,
  kind,
  createdAt,
  ...(name !== undefined && { name }),
  ...(lastUsedAt !== undefined && { lastUsedAt }),
});
