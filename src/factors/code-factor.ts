import type { Factors, MailedCodes, Person, Provable, RecoveryCodes } from '../domain/index.ts';
import type { Clock } from '../lib/index.ts';

/** What a factor's verdict rests on. */
export interface FactorRoom {
  readonly factors: Factors;
  readonly recoveryCodes: RecoveryCodes;
  readonly mailedCodes: MailedCodes;
  /** The wall clock, by which authenticator apps go. */
  readonly now: Clock;
  /** The sign-in it happens in: a mailed code is good in the one it was asked for in. */
  readonly interaction: string;
}

/** A factor that is proven by a code somebody types in. */
export interface CodeFactor {
  readonly kind: Provable['kind'];
  /** What it proves, in words of RFC 8176. */
  readonly amr: readonly string[];
  /** What was typed as this factor's code; undefined where it cannot be one. */
  read(text: string): string | undefined;
  /** Whether the code is right and was not used before; it is used from now on. */
  verify(room: FactorRoom, person: Person, own: readonly Provable[], code: string): Promise<boolean>;
}
