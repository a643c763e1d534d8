import type { Domain, RegisteredClient } from '../domain/index.ts';
import { acrTold, type Engine, endingWithPerson } from '../engine/index.ts';
import type { Pace } from '../http/index.ts';
import { inSeconds, minutes, newSecret, numericDate, sha256 } from '../lib/index.ts';
import { StoreConflict, UnitOfWork } from '../store/index.ts';
import { type SignedIn, signedInOf } from './signed-in.ts';
import type { Token } from './standing.ts';
import type { Wanted } from './wanted.ts';
import type { Means } from './way.ts';

export interface AuthorizationOptions extends Pick<Means, 'store' | 'open' | 'seal' | 'servers' | 'issuer' | 'now'> {
  readonly domain: Pick<Domain, 'accounts' | 'clients' | 'sessions'>;
  readonly pace: Pick<Pace, 'begin'>;
  readonly signedIn: Engine['signedIn'];
}

/** A browser that asks. */
export interface Browser {
  readonly sessionId: string;
  readonly address: string;
  readonly userAgent: string;
}

/** Where it is sent, and the cookies it is given. */
export interface Sent {
  readonly to: string;
  readonly cookies: readonly [string, string];
}

/** A code to be: all there is to know for it. */
interface Granted extends SignedIn {
  readonly client: RegisteredClient;
  readonly resource: { readonly uri: string; readonly scope: string };
  readonly scopes: readonly string[];
}

/** A session or a grant that was kept longer less than this ago is not written again for it. */
const EXACT_TO = inSeconds(minutes(1));

/**
 * The short way of an authorization request (RFC 6749 §4.1.1) by somebody who is signed in and has allowed this
 * application all of it in this browser before: the code, and nobody is asked anything. Whether there is anything to ask
 * the engine's own list says (engine/unasked.ts).
 */
export function authorizations(options: AuthorizationOptions) {
  const { domain, store, seal, servers, issuer, pace, signedIn } = options;
  const { cookie, grantedUnasked, notePlace, lifetimes } = signedIn;
  const find = signedInOf(options);
  const endsWith = endingWithPerson(domain);

  async function grantedTo(unit: UnitOfWork, wanted: Wanted, sessionId: string): Promise<Granted | undefined> {
    const client = await domain.clients.get(wanted.clientId);
    const found = client && mayAsk(client, wanted) ? await find(unit, sessionId, client) : undefined;
    if (!client || !found) return undefined;
    const uri = wanted.resource ?? (await servers.defaultFor(client.id));
    const { scope = '' } = await servers.serverFor(client.id, uri);
    const known = scope.split(' ');
    if (!wanted.scopes.every((word) => known.includes(word))) return undefined;
    const resource = { uri, scope };
    const { scopes: asked, prompt } = wanted;
    const scopes = await grantedUnasked({ ...found, client, scopes: asked, resource, prompt });
    return scopes && { ...found, client, resource, scopes };
  }

  function putCode(unit: UnitOfWork, { codeChallenge, redirectUri, nonce }: Wanted, granted: Granted, iat: number) {
    const { session, person, grantId, sid, client, resource, scopes } = granted;
    const { uid: sessionUid, acr, amr, loginTs: authTime } = session;
    const code = newSecret();
    const { put, id, record, expiresAt } = seal('AuthorizationCode', code, {
      ...{ kind: 'AuthorizationCode', jti: code, iat, exp: iat + lifetimes.code },
      ...{ accountId: person.id, clientId: client.id, grantId, sessionUid, sid },
      // As engine/configuration.ts says of everything without offline access.
      expiresWithSession: true,
      ...({ acr: acrTold({ acr, amr }, []), amr, authTime, nonce } as object),
      ...{ resource: resource.uri, scope: scopes.join(' ') },
      ...{ codeChallenge, codeChallengeMethod: 'S256', redirectUri },
    });
    unit.put(put, id, record, { expiresAt });
    return code;
  }

  /** Keeps it as long as if it had been made now; whoever has changed it meanwhile is not overwritten. Gives its end. */
  function goOn(unit: UnitOfWork, name: 'Session' | 'Grant', id: string, payload: Token, exp: number): number {
    const before = payload.exp ?? 0;
    if (exp >= before && exp - before < EXACT_TO) return before;
    const { put, record, expiresAt, ...row } = seal(name, id, { ...payload, exp });
    unit.put(put, row.id, record, { expiresAt, when: 'update' });
    return exp;
  }

  return async (wanted: Wanted, { sessionId, ...visit }: Browser): Promise<Sent | undefined> => {
    const unit = new UnitOfWork(store);
    const granted = await grantedTo(unit, wanted, sessionId);
    if (!granted || pace.begin(visit.address) !== undefined) return undefined;
    const { session, person, grantId, grant } = granted;
    const iat = numericDate();
    const code = putCode(unit, wanted, granted, iat);
    const exp = goOn(unit, 'Session', sessionId, session, iat + lifetimes.session);
    goOn(unit, 'Grant', grantId, grant, iat + lifetimes.grant);
    await notePlace(unit, { accountId: person.id, uid: session.uid, exp }, visit);
    endsWith(unit, person);
    unit.afterCommit('still there', async () => {
      // Who ended one of them in that moment has ended the code: nobody redeems it without them. The browser is told so.
      for (const [table, id] of [
        ['sessions', sha256(sessionId)],
        ['grants', sha256(grantId)],
      ] as const)
        if (!(await store.get(table, id))) throw new StoreConflict(table, id);
    });
    await unit.commit();
    return {
      to: addressOf(wanted, { code, issuer }),
      cookies: cookie.written(sessionId, session.transient ? undefined : exp),
    };
  };
}

/** What is known of a client: a word more in its record may change what it is answered. */
const CLIENT_KNOWN: Readonly<Record<keyof RegisteredClient, true>> = {
  id: true,
  name: true,
  type: true,
  redirectUris: true,
  postLogoutRedirectUris: true,
  backchannelLogout: true,
  grantTypes: true,
  scopes: true,
  resources: true,
  firstParty: true,
  acrValues: true,
  tokenEndpointAuthMethod: true,
  secretHashes: true,
  oldSecretsUntil: true,
  jwks: true,
  registration: true,
  createdAt: true,
  updatedAt: true,
};

/** Written as it is, wherever it is written. */
const PLAIN = /^[^%']*$/;

/** Whether a client may ask for this, and be answered at that address. */
function mayAsk(client: RegisteredClient, { redirectUri }: Wanted): boolean {
  for (const name in client) if (!(name in CLIENT_KNOWN)) return false;
  const { grantTypes, redirectUris } = client;
  return grantTypes.includes('authorization_code') && redirectUris.includes(redirectUri) && PLAIN.test(redirectUri);
}

/** RFC 6749 §4.1.2, RFC 9207 §2. */
function addressOf({ redirectUri, state }: Wanted, { code, issuer }: { code: string; issuer: string }): string {
  const url = new URL(redirectUri);
  url.searchParams.set('code', code);
  if (state !== undefined) url.searchParams.set('state', state);
  url.searchParams.set('iss', issuer);
  return url.href;
}
