/**
 * factors: the proofs made here beside a password: data in, verdict out.
 *
 * It owns what a right answer is, one file per factor; it knows no request and no page. What is used up by an answer the
 * domain writes down, in one commit; which factor is asked for, and what a proof is worth, domain/assurance.ts says.
 * A factor more is a file, its line here, its row in domain/assurance.ts, and a view in views/partials/factors/.
 */
import type { Person, Provable } from '../domain/index.ts';
import type { CodeFactor, FactorRoom } from './code-factor.ts';
import { email } from './email.ts';
import { recovery } from './recovery.ts';
import { totp } from './totp.ts';

export type { NotEnrolled } from './enrolment.ts';
export { createOwnFactors, type OwnFactors } from './own-factors.ts';
export { createPasskeys, type Passkeys } from './passkey.ts';
export { newTotpSecret } from './totp.ts';

/** Every factor that is proven by typing a code. No text can be read as the code of two. */
const CODE_FACTORS: readonly CodeFactor[] = [totp, email, recovery];

/**
 * Which of the person's factors a code that was typed proves.
 * @param own what is asked for: a factor that is not among them proves nothing
 * @returns the factor's kind and what it proves in words of RFC 8176, or undefined where the code is wrong or was used
 */
export async function verifyCode(
  room: FactorRoom,
  person: Person,
  own: readonly Provable[],
  text: string,
): Promise<Pick<CodeFactor, 'kind' | 'amr'> | undefined> {
  for (const factor of CODE_FACTORS) {
    const code = factor.read(text);
    if (code === undefined || !own.some(({ kind }) => kind === factor.kind)) continue;
    if (await factor.verify(room, person, own, code)) return factor;
  }
  return undefined;
}
