import { type Account, type AccountClaims, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Domain, Person } from '../domain/index.ts';
import { inSeconds } from '../lib/index.ts';
import { CLAIMS, staticScopesOf } from './scopes.ts';
import { currentUnit } from './unit.ts';

/** What is told about a person, before the scopes decide which of it (OIDC Core §5.1). */
const claimsOf = ({ id, email, emailVerified, name, updatedAt }: Person): AccountClaims => ({
  sub: id,
  email,
  email_verified: emailVerified,
  preferred_username: email,
  ...(name && { name }),
  updated_at: inSeconds(updatedAt),
});

/** What a sign-in that has just been made is remembered by (engine/interactions.ts). */
interface Proven {
  readonly login?: object;
  readonly epoch?: number;
}

/**
 * Finds a person for the engine. One who is disabled is not there, and neither is one whose password was changed after
 * the sign-in that is being answered had been proven.
 */
export function findAccount({ accounts, clients, sessions }: Domain) {
  return async (ctx: KoaContextWithOIDC, id: string): Promise<Account | undefined> => {
    const person = await accounts.get(id);
    if (!person || person.disabled) return undefined;
    const proven = ctx.oidc.result as Proven | undefined;
    if (proven?.login && proven.epoch !== person.epoch) return undefined;
    stillValid(person);
    const client = ctx.oidc.client && (await clients.get(ctx.oidc.client.clientId));
    const known = new Set<string>(client ? staticScopesOf(client).flatMap((scope) => CLAIMS[scope] ?? []) : []);
    const claims = Object.fromEntries(Object.entries(claimsOf(person)).filter(([name]) => known.has(name)));
    return { accountId: id, claims: async () => ({ ...claims, sub: id }) };
  };

  /** What is issued in the moment in which everything of this person is ended ends with the rest. */
  function stillValid({ id, epoch }: Person): void {
    currentUnit().afterCommit(`account ${id}`, async () => {
      const now = await accounts.get(id);
      if (now && !now.disabled && now.epoch === epoch) return;
      await sessions.endForAccount(id);
      throw new errors.InvalidGrant('the person has been signed out everywhere');
    });
  }
}
