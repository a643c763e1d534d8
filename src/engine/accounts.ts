import { type Account, type AccountClaims, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Domain, Person, RegisteredClient } from '../domain/index.ts';
import { inSeconds } from '../lib/index.ts';
import type { UnitOfWork } from '../store/index.ts';
import { CLAIMS, staticScopesOf } from './scopes.ts';
import { currentUnit } from './unit.ts';

/** The engine has made the browser's session theirs before it asked who they are, and would keep it: nobody is signed in there. */
function leave(session: object = {}): void {
  for (const name of ['accountId', 'loginTs', 'amr', 'acr', 'transient', 'authorizations'])
    Reflect.deleteProperty(session, name);
}

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
export function findAccount(domain: Domain) {
  const { accounts, clients } = domain;
  const endsWith = endingWithPerson(domain);
  return async (ctx: KoaContextWithOIDC, id: string): Promise<Account | undefined> => {
    const person = await accounts.get(id);
    const proven = ctx.oidc.result as Proven | undefined;
    if (!person || person.disabled || (proven?.login && proven.epoch !== person.epoch)) {
      if (proven?.login) leave(ctx.oidc.session);
      return undefined;
    }
    endsWith(currentUnit(), person);
    const client = ctx.oidc.client && (await clients.get(ctx.oidc.client.clientId));
    const claims = client ? claimsFor(person, client) : { sub: id };
    return { accountId: id, claims: async () => claims };
  };
}

/** What is told about a person to a client that may ask for no more than its scopes. */
export function claimsFor(person: Person, client: RegisteredClient): AccountClaims {
  if (client.scopes.length === 0) return claimsOf(person);
  const known = new Set<string>(staticScopesOf(client).flatMap((scope) => CLAIMS[scope] ?? []));
  const claims = Object.entries(claimsOf(person)).filter(([name]) => known.has(name));
  return { ...Object.fromEntries(claims), sub: person.id };
}

/**
 * What is issued in the moment in which everything of this person is ended ends with the rest. A new epoch alone ends nothing:
 * their address has changed, or a factor is gone.
 */
export const endingWithPerson =
  ({ accounts, sessions }: Pick<Domain, 'accounts' | 'sessions'>) =>
  (unit: UnitOfWork, { id, epoch }: Person): void =>
    unit.afterCommit(`account ${id}`, async () => {
      const now = await accounts.get(id);
      if (now && !now.disabled && (now.ended?.epoch ?? 0) <= epoch) return;
      await sessions.endForAccount(id, [], { except: now?.ended?.except });
      throw new errors.InvalidGrant('the person has been signed out everywhere');
    });
