import { type Domain, type RegisteredClient, sidOf } from '../domain/index.ts';
import { acrTold, type Engine, endingWithPerson } from '../engine/index.ts';
import type { Pace } from '../http/index.ts';
import { inSeconds, milliseconds, minutes, newSecret, sha256 } from '../lib/index.ts';
import { StoreConflict, UnitOfWork } from '../store/index.ts';
import { openOnce } from './opened.ts';
import { GRANT_KNOWN, hasOnly, standing, type Token } from './standing.ts';
import type { Wanted } from './wanted.ts';
import type { Means } from './way.ts';

export interface AuthorizationOptions extends Pick<Means, 'store' | 'open' | 'seal' | 'servers' | 'issuer' | 'now'> {
  readonly domain: Pick<Domain, 'accounts' | 'sessions'>;
  readonly clients: Pick<Domain['clients'], 'get'>;
  readonly pace: Pick<Pace, 'begin'>;
  readonly signedIn: Engine['signedIn'];
}

interface Session {
  readonly uid: string;
  readonly accountId?: string;
  readonly acr?: string;
  readonly amr?: string[];
  /** In seconds since the epoch. */
  readonly loginTs?: number;
  /** It ends with the browser. */
  readonly transient?: true;
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

/** Beyond this a session or a grant is not kept longer: so what asks again and again costs no write of them. */
const EXACT_TO = inSeconds(minutes(1));

const SESSION_KNOWN = [
  ...['jti', 'kind', 'iat', 'exp', 'uid', 'accountId', 'loginTs', 'acr', 'amr', 'transient', 'state', 'authorizations'],
];

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
  createdAt: true,
  updatedAt: true,
};

/**
 * The short way of an authorization request (RFC 6749 §4.1.1) by somebody who is signed in and has allowed this
 * application all of it in this browser before: the code, and nobody is asked anything. Whether there is anything to ask
 * the engine's own list says (engine/unasked.ts).
 */
export function authorizations(options: AuthorizationOptions) {
  const { domain, clients, store, open: unseal, seal, servers, issuer, now, pace, signedIn } = options;
  const { cookie, grantedUnasked, notePlace, lifetimes } = signedIn;
  const open = openOnce(unseal);
  const { isLive } = standing(store, open, now);
  const endsWith = endingWithPerson(domain);

  async function answer(wanted: Wanted, { sessionId, address, userAgent }: Browser): Promise<Sent | undefined> {
    const client = await clients.get(wanted.clientId);
    if (!client || !mayAsk(client, wanted)) return undefined;
    const unit = new UnitOfWork(store);
    const sessionRow = await unit.get('sessions', sha256(sessionId));
    if (!sessionRow) return undefined;
    const session = open('sessions', sessionRow) as Token & Session;
    if (!session.accountId || !isLive(session) || !hasOnly(session, SESSION_KNOWN)) return undefined;
    const person = await domain.accounts.get(session.accountId);
    if (!person || person.disabled) return undefined;

    const { grantId = '', sid } = session.authorizations?.[client.id] ?? {};
    const grantRow = grantId ? await unit.get('grants', sha256(grantId)) : undefined;
    if (!grantRow || sid !== sidOf(grantId)) return undefined;
    const grant = open('grants', grantRow);
    if (!isLive(grant) || !hasOnly(grant, GRANT_KNOWN)) return undefined;
    if (grant.clientId !== client.id || grant.accountId !== person.id) return undefined;

    const uri = wanted.resource ?? (await servers.defaultResource(undefined as never, { clientId: client.id }));
    // Refused by the engine, although registered: no URI, or one with a fragment (RFC 8707 §2).
    if (!URL.canParse(uri) || uri.includes('#')) return undefined;
    const { scope = '' } = await servers.serverFor(client.id, uri);
    const known = scope.split(' ');
    if (!wanted.scopes.every((word) => known.includes(word))) return undefined;
    const resource = { uri, scope };
    const granted = await grantedUnasked({ session, person, client, grant, scopes: wanted.scopes, resource });
    if (!granted || pace.begin(address) !== undefined) return undefined;

    const iat = inSeconds(milliseconds(Date.now()));
    const code = newSecret();
    const { acr, amr, loginTs: authTime } = session;
    const { put, id, record, expiresAt } = seal('AuthorizationCode', code, {
      iat,
      exp: iat + lifetimes.code,
      jti: code,
      kind: 'AuthorizationCode',
      clientId: client.id,
      sessionUid: session.uid,
      // As engine/configuration.ts says of everything without offline access.
      expiresWithSession: true,
      grantId,
      accountId: person.id,
      ...defined({ acr: acrTold({ acr, amr }, []), amr, authTime, nonce: wanted.nonce }),
      resource: uri,
      scope: granted.join(' '),
      ...(client.backchannelLogout?.sessionRequired && { sid }),
      codeChallenge: wanted.codeChallenge,
      codeChallengeMethod: 'S256',
      redirectUri: wanted.redirectUri,
    });
    unit.put(put, id, record, { expiresAt });
    const exp = goOn(unit, 'Session', sessionId, session, iat + lifetimes.session);
    goOn(unit, 'Grant', grantId, grant, iat + lifetimes.grant);
    await notePlace(unit, { accountId: person.id, uid: session.uid, exp }, { address, userAgent });
    endsWith(unit, person);
    unit.afterCommit('still there', async () => {
      // Whoever ended one of them in that moment has ended the code: nobody redeems it without them.
      for (const [table, { id }] of [
        ['sessions', sessionRow],
        ['grants', grantRow],
      ] as const)
        if (!(await store.get(table, id))) throw new StoreConflict(table, id);
    });
    await unit.commit();
    return {
      to: addressOf(wanted, { code, issuer }),
      cookies: cookie.written(sessionId, session.transient ? undefined : exp),
    };
  }

  /** Keeps something as long as if it had been made now. Whoever else has changed it is not overwritten. Gives its end. */
  function goOn(unit: UnitOfWork, name: 'Session' | 'Grant', id: string, payload: Token, exp: number): number {
    const before = payload.exp ?? 0;
    if (exp >= before && exp - before < EXACT_TO) return before;
    const { put, record, expiresAt, ...row } = seal(name, id, { ...payload, exp });
    unit.put(put, row.id, record, { expiresAt, when: 'update' });
    return exp;
  }

  return answer;
}

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

const defined = <T extends object>(given: T): Partial<T> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>;
