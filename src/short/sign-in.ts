import type { Person, RegisteredClient, SigningAlgorithm } from '../domain/index.ts';
import { splitScope } from '../engine/index.ts';
import type { Artifact, Row, UnitOfWork } from '../store/index.ts';
import { openOnce } from './opened.ts';
import { GRANT_KNOWN, hasOnly, standing } from './standing.ts';
import type { Means } from './way.ts';

/** What a code or a refresh token carries on, as the engine writes it: who signed in where, when, how, and for what. */
export interface Carried {
  readonly accountId: string;
  readonly clientId: string;
  readonly grantId: string;
  readonly sessionUid?: string;
  readonly sid?: string;
  /** The tokens end with the browser session. */
  readonly expiresWithSession?: boolean;
  readonly scope: string;
  readonly resource: string | readonly string[];
  readonly nonce?: string;
  readonly acr?: string;
  readonly amr?: readonly string[];
  readonly authTime?: number;
}

/** A sign-in for which tokens may be issued: everything that has to be there for it was found. */
export interface SignIn<C extends Carried = Carried> {
  readonly carried: C;
  readonly client: RegisteredClient;
  readonly person: Person;
  /** What was allowed: OpenID Connect's scopes, and the resource's. */
  readonly granted: { readonly openid: readonly string[]; readonly resource: readonly string[] };
  readonly resource: { readonly uri: string; readonly ttl: number; readonly alg: SigningAlgorithm };
}

const KNOWN = [
  ...['jti', 'kind', 'iat', 'exp', 'accountId', 'clientId', 'grantId', 'sessionUid', 'sid', 'expiresWithSession'],
  ...['scope', 'resource', 'nonce', 'acr', 'amr', 'authTime'],
];

/** One that goes on. */
export interface Presented<C extends Carried> extends SignIn<C> {
  /** The row of the code or the refresh token that was presented. */
  readonly row: Row<Artifact>;
}

interface Grant {
  readonly openid?: { readonly scope?: string };
  readonly resources?: Readonly<Record<string, string>>;
}

/**
 * Finds the sign-in that a code or refresh token carries on, by the engine's checks.
 * @param more what is written in these beside what is in both; anything else (that it was used, a sender's key, rejected
 * scopes, …) is the engine's to judge
 */
export function signInsOf(
  { domain, open, store, servers, now }: Means,
  table: 'authorization_codes' | 'refresh_tokens',
  more: readonly string[],
) {
  const known = new Set([...KNOWN, ...more]);
  const { isLive, grantOf, sessionStands } = standing(store, openOnce(open), now);

  return async <C extends Carried>(
    unit: UnitOfWork,
    rowId: string,
    client: RegisteredClient,
  ): Promise<Presented<C> | undefined> => {
    const row = await unit.get(table, rowId);
    if (!row) return undefined;
    const token = open(table, row);
    if (!hasOnly(token, known) || token.clientId !== client.id || !isLive(token)) return undefined;
    const carried = token as unknown as C;
    // Of several the first, as engine/resources.ts says.
    const [uri] = [carried.resource].flat();
    if (!carried.scope || !uri) return undefined;
    // Side by side: a database is asked for all of them in one statement.
    const [stands, grant, person, server] = await Promise.all([
      sessionStands(token),
      grantOf(token) as Promise<Grant | undefined>,
      domain.accounts.get(carried.accountId),
      servers.serverFor(client.id, uri),
    ]);
    if (!stands || !grant || !hasOnly(grant, GRANT_KNOWN) || !person || person.disabled) return undefined;
    const asked = splitScope(carried.scope);
    const within = (allowed: string | undefined, wanted: readonly string[]) =>
      splitScope(allowed).filter((word) => wanted.includes(word));
    return {
      row,
      carried,
      client,
      person,
      granted: {
        openid: within(grant.openid?.scope, asked),
        resource: within(grant.resources?.[uri], within(server.scope, asked)),
      },
      resource: { uri, ttl: server.accessTokenTTL as number, alg: server.alg },
    };
  };
}
