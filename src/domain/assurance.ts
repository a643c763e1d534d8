import type { Settings } from '../config/index.ts';
import type { Account } from '../store/index.ts';
import type { Factors, OwnFactor } from './factors.ts';

/**
 * How sure we are of who somebody is, in words for applications (`acr`, OIDC Core §2), the weakest first; each includes
 * the ones before it. `phr` is phishing-resistant (OIDC EAP ACR Values 1.0 §3): a passkey was among the proofs.
 */
export const ACR_VALUES = ['urn:postern:acr:one-factor', 'urn:postern:acr:two-factor', 'phr'] as const;

type Acr = (typeof ACR_VALUES)[number];

const [ONE, TWO, PHR] = ACR_VALUES;

const isAcr = (word: string): word is Acr => (ACR_VALUES as readonly string[]).includes(word);

/** Whether somebody proven as `proven` is proven enough for `needed`. */
export const reaches = (proven: Acr, needed: Acr): boolean => ACR_VALUES.indexOf(proven) >= ACR_VALUES.indexOf(needed);

const higher = (a: Acr, b: Acr): Acr => (reaches(a, b) ? a : b);

/**
 * What kind of proof each word of RFC 8176 stands for: two of different kinds are two factors. A new way of proving
 * oneself is a row here.
 */
const KIND_OF_PROOF: Readonly<Record<string, 'knowing' | 'having'>> = {
  pwd: 'knowing',
  // An upstream vouched for them. How they proved themselves there we do not know, so it is worth a password.
  fed: 'knowing',
  otp: 'having',
  hwk: 'having',
  swk: 'having',
};

/** What was proven in several moments, as one: `mfa` where two kinds of proof are among it. */
export function together(...proofs: readonly (readonly string[])[]): string[] {
  const words = new Set(proofs.flat());
  const kinds = new Set([...words].map((word) => KIND_OF_PROOF[word]).filter(Boolean));
  if (kinds.size > 1) words.add('mfa');
  return [...words];
}

/** What was proven, as an `acr`; undefined where nothing was. */
export function acrOf(amr: readonly string[]): Acr | undefined {
  if (amr.length === 0) return undefined;
  if (!amr.includes('mfa')) return ONE;
  return amr.includes('hwk') || amr.includes('swk') ? PHR : TWO;
}

/**
 * What an application asks for by `acr_values` (OIDC Core §3.1.2.1), where any of its words will do: the least of those we
 * know. `unmet` where we know none of them, undefined where it asks for nothing.
 */
export function leastOf(words: readonly string[]): Acr | 'unmet' | undefined {
  if (words.length === 0) return undefined;
  return ACR_VALUES.find((acr) => words.filter(isAcr).includes(acr)) ?? 'unmet';
}

/** The word an application is told: of those it asked for the first that holds (RFC 9470 §5), else the strongest. */
export const toldAs = (proven: Acr, asked: readonly string[]): Acr =>
  asked.filter(isAcr).find((acr) => reaches(proven, acr)) ?? proven;

/** Why somebody has to prove more than they did. */
export interface Demands {
  /** `acr_values` of the request. */
  readonly asked: readonly string[];
  /** What the operator registered for the application (`default_acr_values`): no request goes below it. */
  readonly registered: readonly string[];
}

/** How far somebody is on the way to what is needed. */
interface Standing {
  readonly needed: Acr;
  /**
   * `factor`: prove one of `with`. `enrolment`: nothing they own would do, so they add one. `unmet`: the application asks
   * for what we do not know. undefined: they are proven.
   */
  readonly missing: 'factor' | 'enrolment' | 'unmet' | undefined;
  /** What would bring them further. */
  readonly with: readonly Provable[];
}

/** A code that is mailed to them, where they can be asked for one. */
interface MailedCode {
  readonly kind: 'email';
}

/** What a person can be asked to prove beside what they did. */
export type Provable = OwnFactor | MailedCode;

const MAILED_CODE: MailedCode = { kind: 'email' };

/** Whether there is something of it to prove: recovery codes may all be used. */
const isLeft = ({ digests }: OwnFactor): boolean => digests === undefined || digests.length > 0;

/** What each kind of factor brings somebody to who has proven a first one. */
const BRINGS_TO: Readonly<Record<Provable['kind'], Acr>> = { totp: TWO, recovery: TWO, email: TWO, passkey: PHR };

export type Assurance = ReturnType<typeof createAssurance>;

type Somebody = Account & { readonly id: string };

/**
 * What a person has to prove, from the operator's settings, the application and what the person owns. Asked at every step of
 * a sign-in and once more by the engine before it answers, so that no way leads round it.
 */
export function createAssurance({
  settings,
  factors,
}: {
  settings: Pick<Settings, 'second_factor' | 'email_codes'>;
  factors: Factors;
}) {
  /** The operator's word for everybody. */
  const policyFor = ({ admin }: Account): Acr =>
    settings.second_factor === 'required' || (settings.second_factor === 'operators' && admin) ? TWO : ONE;

  /**
   * Whoever reads the mailbox must not get in by that alone: not by a mailed link and a mailed code, and not by an upstream
   * that the mailbox belongs to.
   */
  const mayMail = ({ admin, emailVerified, passwordMailed }: Account, amr: readonly string[]): boolean =>
    settings.email_codes === 'on' && emailVerified && !admin && !passwordMailed && amr.includes('pwd');

  function neededBy(person: Somebody, own: readonly OwnFactor[], { asked, registered }: Demands): Acr | 'unmet' {
    const [request, client] = [leastOf(asked), leastOf(registered)];
    if (request === 'unmet' || client === 'unmet') return 'unmet';
    // Whoever owns a second factor is asked for it, whatever else is demanded.
    const owned = own.some(({ kind }) => kind !== 'recovery') ? TWO : ONE;
    return [policyFor(person), owned, request ?? ONE, client ?? ONE].reduce(higher);
  }

  return {
    /** @param amr what the person has proven so far, in words of RFC 8176 */
    async standing(person: Somebody, amr: readonly string[], demands: Demands): Promise<Standing> {
      const own = await factors.list(person.id);
      const needed = neededBy(person, own, demands);
      if (needed === 'unmet') return { needed: PHR, missing: 'unmet', with: [] };
      const proven = acrOf(amr) ?? ONE;
      if (reaches(proven, needed)) return { needed, missing: undefined, with: [] };
      const provable = [...own.filter(isLeft), ...(mayMail(person, amr) ? [MAILED_CODE] : [])];
      const further = provable.filter(({ kind }) => !reaches(proven, BRINGS_TO[kind]));
      const enough = further.filter(({ kind }) => reaches(BRINGS_TO[kind], needed));
      // Whoever lacks a passkey proves what they have before they add one.
      const offered = enough.length > 0 ? enough : further;
      return { needed, missing: offered.length > 0 ? 'factor' : 'enrolment', with: offered };
    },

    /** Whether the operator has this person own a second factor. */
    demandsSecond: (person: Account): boolean => policyFor(person) !== ONE,

    /** Whether a password alone would do, wherever nothing more can be asked (RFC 6749 §4.3). */
    async passwordAlone(person: Somebody, registered: readonly string[]): Promise<boolean> {
      return neededBy(person, await factors.list(person.id), { asked: [], registered }) === ONE;
    },
  };
}
