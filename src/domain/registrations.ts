import type { Settings } from '../config/index.ts';
import {
  type Clock,
  type Duration,
  days,
  hours,
  newId,
  newSecret,
  Refusal,
  sameDigest,
  seconds,
  sha256,
} from '../lib/index.ts';
import type { Change, ClientType, InitialAccessToken, Page, Row, Store } from '../store/index.ts';
import type { Audit } from './audit.ts';
import type { SaidOfItself } from './client-terms.ts';
import type { Clients, RegisteredClient } from './clients.ts';
import { bucketOf, createCounters } from './counters.ts';
import { networkOf } from './networks.ts';
import { retryOnConflict } from './retry.ts';

/** What an operator sees of an initial access token: never the token. */
export interface Leave {
  readonly id: string;
  /** How many more may register with it. */
  readonly left: number;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** Who wants to register: with an initial access token, or as anybody, from a network. */
export interface Newcoming {
  readonly token?: string | undefined;
  /** The IP address it comes from, as the edge believes it. */
  readonly address: string;
}

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly settings: Pick<Settings, 'issuer' | 'registration'>;
  readonly audit: Audit;
  readonly clients: Clients;
}

export type Registrations = ReturnType<typeof createRegistrations>;

/** How long an application that anybody could register is kept unless somebody uses it. */
export const UNUSED_FOR: Duration = days(7);

/** What one network may register, or change of what was registered, without anybody's leave. */
export const OPEN_LIMIT = { most: 50, window: hours(1) } as const;

const LONGEST_TTL: Duration = days(365);
const MOST_USES = 10_000;

const TOKEN = /^(reg_[\w-]{22})\.([\w-]{43})$/;

/** Compared with where there is nothing to compare with; as long as a digest, and of nothing. */
const NOBODYS = newSecret();

/** Applications that register themselves, and the tokens that give them leave (RFC 7591, RFC 7592). */
export function createRegistrations({ store, now, settings, audit, clients }: Options) {
  const counters = createCounters({ store, now });

  const openly = (address: string, changes: readonly Change[] = []) =>
    counters.take(
      [bucketOf('registrations from a network', networkOf(address), OPEN_LIMIT.most, OPEN_LIMIT.window)],
      changes,
    );

  /** Pages of ours mean something to people, and one of them is where devices are signed in to: a stranger has none here. */
  function mustBeElsewhere({ redirectUris = [] }: SaidOfItself): void {
    const here = redirectUris.find((uri) => URL.parse(uri)?.origin === settings.issuer);
    if (here !== undefined)
      throw new Refusal(
        'redirect_uri_invalid',
        `${JSON.stringify(here.slice(0, 200))} is an address of this server itself`,
      );
  }

  async function leave(token: string): Promise<Row<InitialAccessToken> | undefined> {
    const [, id = '', secret = ''] = TOKEN.exec(token) ?? [];
    const row = id ? await store.get('initial_access_tokens', id) : undefined;
    return sameDigest(row?.record.hash ?? NOBODYS, sha256(secret)) ? row : undefined;
  }

  /** Takes one use of it: of any number that do at once, as many succeed as there are uses. */
  function spend({ id, version, expiresAt, record }: Row<InitialAccessToken>): Change {
    return record.left > 1
      ? {
          put: 'initial_access_tokens',
          id,
          record: { ...record, left: record.left - 1 },
          ...(expiresAt !== undefined && { expiresAt }),
          expect: version,
        }
      : { remove: 'initial_access_tokens', id, expect: version };
  }

  const leaveOf = ({ id, expiresAt = Number.POSITIVE_INFINITY, record }: Row<InitialAccessToken>): Leave => ({
    id,
    left: record.left,
    createdAt: record.createdAt,
    expiresAt,
  });

  return {
    /** A token that so many applications may register with; it is shown this once. @throws Refusal `time_invalid`, `uses_invalid` */
    async allow({ ttl = days(1), uses = 1 }: { ttl?: Duration | undefined; uses?: number | undefined } = {}) {
      if (!(ttl >= seconds(1) && ttl <= LONGEST_TTL))
        throw new Refusal('time_invalid', 'a registration token is good for 1 second to 365 days');
      if (!(Number.isInteger(uses) && uses >= 1 && uses <= MOST_USES))
        throw new Refusal('uses_invalid', `a registration token is good for 1 to ${MOST_USES} registrations`);
      const [id, secret, at] = [newId('reg'), newSecret(), now()];
      const record: InitialAccessToken = { hash: sha256(secret), left: uses, createdAt: at };
      await store.commit([
        { put: 'initial_access_tokens', id, record, expiresAt: at + ttl, expect: 'absent' },
        audit.record('registration.allowed', { details: { leave: id, uses } }),
      ]);
      return {
        token: `${id}.${secret}`,
        leave: { id, left: uses, createdAt: at, expiresAt: at + ttl } satisfies Leave,
      };
    },

    /** Those that are good, in the order of their ids. */
    async list(page?: Page): Promise<{ leaves: readonly Leave[]; next?: string }> {
      const { rows, next } = await store.find('initial_access_tokens', 'all', '', page);
      return { leaves: rows.map(leaveOf), ...(next && { next }) };
    },

    /** Nobody registers with it any more; whoever did stays. @throws Refusal `registration_unknown` */
    withdraw(id: string): Promise<void> {
      return retryOnConflict(async () => {
        const row = await store.get('initial_access_tokens', id);
        if (!row)
          throw new Refusal(
            'registration_unknown',
            `there is no registration token ${JSON.stringify(id.slice(0, 80))}`,
          );
        await store.commit([
          { remove: 'initial_access_tokens', id, expect: row.version },
          audit.record('registration.withdrawn', { details: { leave: id } }),
        ]);
      });
    },

    /** Whether somebody may register at present; without a token, whether anybody may. */
    async mayRegister(token: string | undefined): Promise<boolean> {
      if (settings.registration === 'off') return false;
      return token === undefined ? settings.registration === 'open' : (await leave(token)) !== undefined;
    },

    /**
     * Makes a client of what an application says of itself, in one commit with what gave it leave. The registration access
     * token, and the secret of one that has any, nobody can ever read again. Undefined where nobody gave it leave; `wait`: in how
     * many seconds there may be more from this network.
     * @throws Refusal as {@link Clients.add}
     */
    async register(type: ClientType, said: SaidOfItself, { token, address }: Newcoming) {
      mustBeElsewhere(said);
      const registrationToken = newSecret();
      const tokenHash = sha256(registrationToken);
      if (token === undefined) {
        if (settings.registration !== 'open') return undefined;
        const { changes, ...made } = await clients.comes(type, said, { tokenHash }, now() + UNUSED_FOR);
        const { wait } = await openly(address, changes);
        return wait === undefined ? { ...made, registrationToken } : { wait };
      }
      return retryOnConflict(async () => {
        const row = settings.registration === 'off' ? undefined : await leave(token);
        if (!row) return undefined;
        const { changes, ...made } = await clients.comes(type, said, { tokenHash, initialToken: row.id });
        await store.commit([spend(row), ...changes]);
        return { ...made, registrationToken };
      });
    },

    /** The application of this registration access token. Takes the same time whether there is such an application or not. */
    async find(clientId: string, token: string): Promise<RegisteredClient | undefined> {
      const client = await clients.get(clientId);
      return sameDigest(client?.registration?.tokenHash ?? NOBODYS, sha256(token)) ? client : undefined;
    },

    /** What it says of itself from now on; or `wait`, as in {@link register}. @throws Refusal as {@link Clients.restate} */
    async restate({ id, registration }: RegisteredClient, said: SaidOfItself, address: string) {
      mustBeElsewhere(said);
      const wait = registration?.initialToken === undefined ? (await openly(address)).wait : undefined;
      return wait === undefined ? clients.restate(id, said) : { wait };
    },

    /** It ends, and all that it was issued. @throws Refusal `client_unknown` */
    remove: ({ id }: RegisteredClient): Promise<void> => clients.remove(id, { itself: true }),
  };
}

/** What keeps an application for good that anybody could register, for the commit by which somebody uses it. */
export async function usedNow(store: Pick<Store, 'get'>, clientId: string): Promise<readonly Change[]> {
  const row = await store.get('clients', clientId);
  if (row?.expiresAt === undefined) return [];
  return [{ put: 'clients', id: clientId, record: row.record, expect: row.version }];
}
