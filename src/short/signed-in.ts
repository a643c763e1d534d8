import { type Domain, type Person, type RegisteredClient, sidOf } from '../domain/index.ts';
import { sha256 } from '../lib/index.ts';
import type { UnitOfWork } from '../store/index.ts';
import { openOnce } from './opened.ts';
import { GRANT_KNOWN, hasOnly, standing, type Token } from './standing.ts';
import type { Means } from './way.ts';

/** Somebody's session with a browser, as the engine keeps it. */
export type Session = Token & {
  readonly uid: string;
  readonly acr?: string;
  readonly amr?: string[];
  /** In seconds since the epoch. */
  readonly loginTs?: number;
  /** It ends with the browser. */
  readonly transient?: true;
};

/** Who is signed in on a browser, and what they have allowed a client there. */
export interface SignedIn {
  readonly session: Session;
  readonly person: Person;
  readonly grantId: string;
  readonly grant: Token;
  /** How the client knows the session. */
  readonly sid: string;
}

const SESSION_KNOWN = new Set([
  'jti',
  'kind',
  'iat',
  'exp',
  'uid',
  'accountId',
  'loginTs',
  'acr',
  'amr',
  'transient',
  'state',
  'authorizations',
]);

interface Options extends Pick<Means, 'store' | 'open' | 'now'> {
  readonly domain: Pick<Domain, 'accounts'>;
}

/** Finds a sign-in that stands, by the engine's checks; what is unusual about one is the engine's to judge. */
export function signedInOf({ domain, store, open: unseal, now }: Options) {
  const open = openOnce(unseal);
  const { isLive } = standing(store, open, now);

  const read = async (unit: UnitOfWork, table: 'sessions' | 'grants', id: string): Promise<Token | undefined> => {
    const row = await unit.get(table, sha256(id));
    const token = row && open(table, row);
    return token && isLive(token) ? token : undefined;
  };

  return async (unit: UnitOfWork, sessionId: string, client: RegisteredClient): Promise<SignedIn | undefined> => {
    const session = (await read(unit, 'sessions', sessionId)) as Session | undefined;
    if (session?.kind !== 'Session' || !hasOnly(session, SESSION_KNOWN)) return undefined;
    const person = session.accountId ? await domain.accounts.get(session.accountId) : undefined;
    if (!person || person.disabled) return undefined;
    const { grantId, sid } = session.authorizations?.[client.id] ?? {};
    if (!grantId || sid !== sidOf(grantId)) return undefined;
    const grant = await read(unit, 'grants', grantId);
    if (grant?.kind !== 'Grant' || !hasOnly(grant, GRANT_KNOWN)) return undefined;
    if (grant.clientId !== client.id || grant.accountId !== person.id) return undefined;
    return { session, person, grantId, grant, sid };
  };
}
