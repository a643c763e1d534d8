import { Refusal } from '../lib/index.ts';
import type { Person } from './account-changes.ts';
import type { Accounts } from './accounts.ts';
import type { Assurance } from './assurance.ts';
import type { Guesses } from './guesses.ts';

interface Options {
  readonly accounts: Pick<Accounts, 'authenticate'>;
  readonly assurance: Pick<Assurance, 'passwordAlone'>;
  readonly guesses: Pick<Guesses, 'begin'>;
}

/** What somebody's application says of them. */
interface Claimed {
  readonly username: string;
  readonly password: string;
  /** The IP address it comes from. */
  readonly address: string;
  /** What the application demands of whoever signs in to it (`default_acr_values`). */
  readonly demands: readonly string[];
}

/** Who it is; or why not, of which the application is told nothing but how long to wait, in whole seconds. */
type Owner =
  | { readonly kind: 'proven'; readonly person: Person }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'too many'; readonly retryAfter: number }
  | { readonly kind: 'busy' };

/**
 * Who a password alone proves somebody to be, where nothing more can be asked (RFC 6749 §4.3). Its guesses count together
 * with those of the sign-in form.
 */
export function createResourceOwners({ accounts, assurance, guesses }: Options) {
  async function prove({ username, password, address, demands }: Claimed): Promise<Owner> {
    const verdict = await guesses.begin({ email: username, address });
    if (!verdict.allowed) return { kind: 'too many', retryAfter: verdict.retryAfter };
    try {
      const person = await accounts.authenticate(username, password);
      if (person && (await assurance.passwordAlone(person, demands))) {
        await verdict.succeed();
        return { kind: 'proven', person };
      }
      // To the client it is one answer and counts as one: a right password must not be told from a wrong one.
      const why = person ? 'a second factor is needed, which this grant cannot ask for' : WRONG;
      return { kind: 'refused', why };
    } catch (error) {
      await verdict.release();
      if (error instanceof Refusal) return { kind: 'busy' };
      throw error;
    }
  }

  const proofs = new WeakMap<object, Promise<Owner>>();

  return {
    /** Once for each request, by whatever ways it is answered: a proof costs a hash and counts as a guess. */
    prove(request: object, claimed: Claimed): Promise<Owner> {
      const proof = proofs.get(request) ?? prove(claimed);
      proofs.set(request, proof);
      return proof;
    },
  };
}

const WRONG = 'unknown person or wrong password';
