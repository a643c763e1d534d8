import { type SealingKey, seconds, sha256 } from '../lib/index.ts';
import { type Artifact, type Row, type Store, StoreConflict } from '../store/index.ts';
import { openArtifact } from './artifacts.ts';
import type { Audit } from './audit.ts';
import type { Clients, RegisteredClient } from './clients.ts';
import { every } from './every.ts';
import { OWN_CLIENT } from './own-client.ts';
import type { Places } from './places.ts';
import { retryOnConflict } from './retry.ts';
import type { Sessions } from './sessions.ts';

/** A browser session of somebody's, as they and operators are shown it. */
export interface SignIn {
  /** Names the session; nothing can be done with it but end the session, by its owner or an operator. */
  readonly id: string;
  readonly signedInAt: number;
  readonly lastSeenAt: number;
  readonly address: string;
  readonly userAgent: string;
}

/** Orders sign-ins by the text it gives; what follows one in it is the `after` of the next page. */
type Order = (signIn: Pick<SignIn, 'id' | 'lastSeenAt'>) => string;

/** As they stay, whichever are used, begin or end meanwhile. */
export const byId: Order = ({ id }) => id;

/** Whichever is used meanwhile comes to the front. */
export const lastUsedFirst: Order = ({ id, lastSeenAt }) => `${Number.MAX_SAFE_INTEGER - lastSeenAt}.${id}`;

/** A page of somebody's sign-ins; all of them, the last used first, unless said. */
export interface SignInPage {
  readonly order?: Order;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
  readonly limit?: number;
}

interface Options {
  readonly store: Store;
  readonly audit: Audit;
  readonly clients: Pick<Clients, 'get'>;
  readonly places: Places;
  readonly sessions: Sessions;
  /** What the engine seals its rows with. */
  readonly key: SealingKey;
}

/** The part of the engine's payload that says what is of a session. */
interface Payload {
  readonly uid?: string;
  /** In seconds since the epoch. */
  readonly loginTs?: number;
  readonly authorizations?: Readonly<Record<string, { readonly grantId?: string }>>;
}

type Opened = SignIn & { readonly payload: Payload };

const signedInAt = ({ loginTs = 0 }: Payload): number => seconds(loginTs);

/** Where people are signed in: what they and operators see of it, and how it ends. */
export function createSignIns({ store, audit, clients, places, sessions, key }: Options) {
  const rowsOf = (accountId: string): Promise<Row<Artifact>[]> =>
    Array.fromAsync(every(store, 'sessions', 'accountId', accountId));

  const open = (row: Row<Artifact>) => openArtifact(key, 'sessions', row) as Payload;

  /** The grants of what was issued to devices that somebody was signed in to, by the session it was done in. */
  async function deviceGrants(accountId: string): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const grants = new Map<string, Set<string>>();
    for (const table of ['device_codes', 'access_tokens', 'refresh_tokens'] as const)
      for await (const row of every(store, table, 'accountId', accountId)) {
        const { sessionUid, grantId } = openArtifact(key, table, row) as { sessionUid?: string; grantId?: string };
        if (sessionUid && grantId) grants.set(sessionUid, (grants.get(sessionUid) ?? new Set()).add(grantId));
      }
    return grants;
  }

  /** All that ends with the session. */
  const grantsOf = (
    { uid = '', authorizations = {} }: Payload,
    ofDevices: ReadonlyMap<string, ReadonlySet<string>>,
  ) => [
    ...new Set([
      ...Object.values(authorizations).flatMap(({ grantId }) => (grantId ? [grantId] : [])),
      ...(ofDevices.get(uid) ?? []),
    ]),
  ];

  /** Whose these grants are, of those that have not ended; this server's own pages are no application to people. */
  async function clientsOf(grantIds: readonly string[]): Promise<readonly RegisteredClient[]> {
    const grants = await Promise.all(grantIds.map((grantId) => store.get('grants', sha256(grantId))));
    const ids = new Set(grants.flatMap((grant) => grant?.record.clientId ?? []));
    ids.delete(OWN_CLIENT);
    const known = await Promise.all([...ids].map((id) => clients.get(id)));
    return known.flatMap((client) => client ?? []);
  }

  /** Ends a session and everything that was issued in it, offline access too: its owner says so, or an operator. */
  async function endRow(
    accountId: string,
    row: Row<Artifact>,
    ofDevices: ReadonlyMap<string, ReadonlySet<string>>,
  ): Promise<void> {
    const id = row.record.uid ?? '';
    // In one commit with what was issued, so that nothing more is issued in it.
    await sessions.endGrants(grantsOf(open(row), ofDevices), [
      { remove: 'sessions', id: row.id, expect: row.version },
      { remove: 'session_places', id },
      audit.record('session.ended', { accountId, details: { session: id } }),
    ]);
  }

  /** One page, and how many there are in all. There may be thousands: what is not on the page is not opened. */
  async function page(
    accountId: string,
    { order = lastUsedFirst, after, limit = Number.POSITIVE_INFINITY }: SignInPage,
  ): Promise<{ signIns: Opened[]; total: number; next?: string | undefined }> {
    const [rows, visits] = await Promise.all([rowsOf(accountId), places.listForAccount(accountId)]);
    const sorted = rows
      .map((row) => {
        const id = row.record.uid ?? '';
        const visit = visits.get(id);
        return { id, row, visit, key: order({ id, lastSeenAt: visit?.lastSeenAt ?? signedInAt(open(row)) }) };
      })
      .filter(({ key }) => after === undefined || key > after)
      .toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const shown = sorted.slice(0, limit);
    const signIns = shown.map(({ id, row, visit }) => {
      const payload = open(row);
      const since = signedInAt(payload);
      const { address = '', userAgent = '', lastSeenAt = since } = visit ?? {};
      return { id, signedInAt: since, lastSeenAt, address, userAgent, payload };
    });
    return { signIns, total: rows.length, next: sorted.length > shown.length ? shown.at(-1)?.key : undefined };
  }

  /** Of two who end one at a moment, one does; what was issued in it meanwhile ends too. */
  const endOne = (accountId: string, id: string): Promise<boolean> =>
    retryOnConflict(async () => {
      const row = (await rowsOf(accountId)).find(({ record }) => record.uid === id);
      if (row) await endRow(accountId, row, await deviceGrants(accountId));
      return row !== undefined;
    });

  return {
    count: async (accountId: string): Promise<number> => (await rowsOf(accountId)).length,

    /** A person's sessions. */
    async list(accountId: string, wanted: SignInPage = {}) {
      const { signIns, ...rest } = await page(accountId, wanted);
      return { ...rest, signIns: signIns.map(({ payload: _, ...signIn }): SignIn => signIn) };
    },

    /** The same with the applications that hold something of each, which ends with it. */
    async listWithApplications(accountId: string, wanted: SignInPage = {}) {
      const [{ signIns, ...rest }, ofDevices] = await Promise.all([page(accountId, wanted), deviceGrants(accountId)]);
      const told = signIns.map(async ({ payload, ...signIn }) => ({
        ...signIn,
        applications: await clientsOf(grantsOf(payload, ofDevices)),
      }));
      return { ...rest, signIns: await Promise.all(told) };
    },

    /** Ends one of the person's sessions; false where it is none of theirs, or over. */
    end: endOne,

    /** Ends all of the person's sessions but one, each by itself. There may be thousands: what is of devices is read for all of them. */
    async endOthers(accountId: string, keep: string): Promise<void> {
      const others = (await rowsOf(accountId)).filter(({ record }) => record.uid !== keep);
      const ofDevices = await deviceGrants(accountId);
      for (const row of others) {
        try {
          await endRow(accountId, row, ofDevices);
        } catch (error) {
          if (!(error instanceof StoreConflict)) throw error;
          await endOne(accountId, row.record.uid ?? '');
        }
      }
      // What devices were given in them meanwhile.
      const since = await deviceGrants(accountId);
      await sessions.endGrants(others.flatMap((row) => [...(since.get(open(row).uid ?? '') ?? [])]));
    },
  };
}
