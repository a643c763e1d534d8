import type { Factors, OwnFactor, Person, RecoveryCodes } from '../domain/index.ts';
import type { Clock } from '../lib/index.ts';
import type { FactorKind } from '../store/index.ts';

/** What a factor's verdict rests on. */
export interface FactorRoom {
  readonly factors: Factors;
  readonly recoveryCodes: RecoveryCodes;
  readonly now: Clock;
}

/** A factor that is proven by a code somebody types in. */
export interface CodeFactor {
  readonly kind: FactorKind;
  /** What it proves, in words of RFC 8176. */
  readonly amr: readonly string[];
  /** What was typed as this factor's code; undefined where it cannot be one. */
  read(text: string): string | undefined;
  /** Whether the code is right and was not used before; it is used from now on. */
  verify(room: FactorRoom, person: Person, own: readonly OwnFactor[], code: string): Promise<boolean>;
}
