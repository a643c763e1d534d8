import type { Binding, Challenges, Factors, OwnFactor, Person } from '../domain/index.ts';
import type { Clock } from '../lib/index.ts';
import type { Passkeys } from './passkey.ts';
import { orTold } from './told.ts';
import { newTotpSecret, stepOf, totp, totpUri } from './totp.ts';

/** What a page shows of a TOTP key that is about to be enrolled. */
interface TotpOffer {
  /** Goes along in the form: the key, sealed, so that the server remembers nothing. */
  readonly enrolment: string;
  /** The key in base32, for who types it in. */
  readonly secret: string;
  /** The same as an `otpauth:` address, for a QR code. */
  readonly uri: string;
}

const REFUSED = {
  /** Somebody has this passkey already. */
  factor_taken: 'taken',
  /** They own too many. */
  factors_full: 'full',
  /** It cannot be called so. */
  name_invalid: 'name',
  /** It was added by this very form before, the second of two clicks; or the sign-in has ended. */
  enrolment_over: 'done',
} as const;

/**
 * `wrong`: ask again, for the same key. `passkey`: the browser's answer is none. `over`: the offer is too old, begin anew. The
 * others as above.
 */
export interface NotEnrolled {
  readonly error: 'wrong' | 'passkey' | 'over' | (typeof REFUSED)[keyof typeof REFUSED];
}

/** What enrolling proves, in words of RFC 8176. */
type Enrolled = { readonly amr: readonly string[] };

interface Options {
  readonly factors: Factors;
  readonly challenges: Challenges;
  readonly passkeys: Passkeys;
  /** The wall clock, by which authenticator apps go. */
  readonly now: Clock;
  /** What an authenticator app calls us. */
  readonly brand: string;
}

/**
 * Adding a factor: what is offered, and what is made of the answer. `boundTo` names the interaction or session it happens
 * in; an answer from another one is worth nothing.
 */
export function createEnrolment({ factors, challenges, passkeys, now, brand }: Options) {
  const ofTotp = (person: Person, boundTo: string): Binding => ({
    purpose: 'enrol-totp',
    boundTo,
    accountId: person.id,
  });

  return {
    /** What the browser makes a passkey from; undefined where it cannot. */
    offerPasskey: (person: Person, boundTo: string, own: readonly OwnFactor[]) =>
      passkeys.available ? passkeys.offer(boundTo, person, own) : undefined,

    /** @param text what the browser made, as JSON */
    async takePasskey(
      person: Person,
      boundTo: string,
      text: string,
      name: string | undefined,
    ): Promise<Enrolled | NotEnrolled> {
      const made = await passkeys.made(boundTo, person, text);
      if (!made) return { error: 'passkey' };
      return orTold(REFUSED, async () => {
        await factors.addPasskey(person, made.passkey, name, made.spent);
        return { amr: made.amr };
      });
    },

    /** @param again the same key as in an earlier offer, where that one still holds */
    offerTotp(person: Person, boundTo: string, again = ''): TotpOffer {
      const binding = ofTotp(person, boundTo);
      const kept = challenges.open(binding, again);
      const secret = kept ?? newTotpSecret();
      return {
        enrolment: kept === undefined ? challenges.issue(binding, secret) : again,
        secret,
        uri: totpUri(secret, brand, person.email),
      };
    },

    /** The factor is there from the moment its first code is right. */
    async takeTotp(
      person: Person,
      boundTo: string,
      { enrolment = '', code = '', name }: { enrolment?: string; code?: string; name?: string },
    ): Promise<Enrolled | NotEnrolled> {
      const binding = ofTotp(person, boundTo);
      const secret = challenges.open(binding, enrolment);
      if (secret === undefined) return { error: 'over' };
      const digits = totp.read(code);
      const step = digits && stepOf(secret, digits, now());
      if (!step) return { error: 'wrong' };
      return orTold(REFUSED, async () => {
        await factors.addTotp(person, secret, step, name, challenges.spend(binding, enrolment));
        return { amr: totp.amr };
      });
    },
  };
}
