import type { Account, AccountClaims } from 'oidc-provider';
import type { Accounts, Person } from '../domain/index.ts';
import { inSeconds } from '../lib/index.ts';

/** What is told about a person, before the scopes decide which of it (OIDC Core §5.1). */
const claimsOf = ({ id, email, emailVerified, name, updatedAt }: Person): AccountClaims => ({
  sub: id,
  email,
  email_verified: emailVerified,
  preferred_username: email,
  ...(name && { name }),
  updated_at: inSeconds(updatedAt),
});

/** Finds a person for the engine; a disabled one is not there. */
export const findAccount =
  (accounts: Accounts) =>
  async (_ctx: unknown, id: string): Promise<Account | undefined> => {
    const person = await accounts.get(id);
    if (!person || person.disabled) return undefined;
    return { accountId: id, claims: async () => claimsOf(person) };
  };
