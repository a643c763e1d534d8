import { isDeepStrictEqual } from 'node:util';
import { type Clock, type Duration, newId, newSecret, Refusal, sha256 } from '../lib/index.ts';
import type { Change, Client, ClientType, Page, Registration, Row, Store } from '../store/index.ts';
import { type Audit, changedIn } from './audit.ts';
import { checkKeptFor, hasSecret, isSecretOf, secretsKept, secretsReplaced } from './client-secrets.ts';
import { type ClientTerms, type SaidOfItself, type Settled, settle, type Terms, termsOf } from './client-terms.ts';
import { every } from './every.ts';
import { plainly } from './names.ts';
import { retryOnConflict } from './retry.ts';
import type { Sessions } from './sessions.ts';

/** A client with its id, which is the `client_id`. */
export type RegisteredClient = Client & { readonly id: string };

type NewClient = ClientTerms & { readonly type: ClientType };

/** How an application comes that registers itself. */
interface Coming {
  readonly registration?: Registration | undefined;
  readonly expiresAt?: number | undefined;
}

export type Clients = ReturnType<typeof createClients>;

/** How an operator has one changed. */
interface Changing {
  /** Whether it is still what they were shown. */
  readonly asSeen?: ((client: RegisteredClient) => boolean) | undefined;
}

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly audit: Audit;
  readonly sessions: Sessions;
  /** The server's own pages, see own-client.ts. */
  readonly own: RegisteredClient;
}

const client = ({ id, record }: Row<Client>): RegisteredClient => ({ id, ...record });

/** What an event tells a change of: never of a secret, nor of when. */
const told = ({ secretHashes: _, oldSecretsUntil: __, updatedAt: ___, registration, ...terms }: Client) => ({
  ...terms,
  ...(registration && { vouched: registration.vouched === true }),
});

/** Applications, whoever registered them; what they may do is decided here and nowhere else. */
export function createClients({ store, now, audit, sessions, own }: Options) {
  async function existing(id: string): Promise<Row<Client>> {
    if (id === own.id)
      throw new Refusal(
        'client_unknown',
        `there is no client ${JSON.stringify(id)} to look after: it is the pages of this server itself, built in`,
      );
    const row = await store.get('clients', id);
    if (!row) throw new Refusal('client_unknown', `there is no client ${JSON.stringify(id.slice(0, 80))}`);
    return row;
  }

  /** By an operator, or by the application itself. What an operator looked after stays, used or not; what is as it was is not written. */
  function change(
    id: string,
    event: string,
    alter: (row: Row<Client>) => Client | Promise<Client>,
    { itself = false, asSeen }: Changing & { readonly itself?: boolean } = {},
  ) {
    return retryOnConflict(async (): Promise<RegisteredClient> => {
      const row = await existing(id);
      if (asSeen?.(client(row)) === false) throw new Refusal('conflict', `${id} is not what it was when it was shown`);
      const record = await alter(row);
      if (itself && isDeepStrictEqual({ ...record, updatedAt: row.record.updatedAt }, row.record)) return client(row);
      const expiresAt = itself ? row.expiresAt : undefined;
      await store.commit([
        { put: 'clients', id, record, ...(expiresAt !== undefined && { expiresAt }), expect: row.version },
        audit.record(event, {
          clientId: id,
          details: { ...changedIn(told(row.record), told(record)), ...(itself && { by: 'itself' }) },
        }),
      ]);
      return { id, ...record };
    });
  }

  /** What a client is settled to be now, with the secrets it had, or a first one. */
  function resettled(record: Client, settled: Settled, fresh: string): Client {
    return {
      ...settled,
      ...secretsKept(record, settled, fresh),
      ...(record.registration && { registration: record.registration }),
      createdAt: record.createdAt,
      updatedAt: now(),
    };
  }

  const withFresh = (client: RegisteredClient, fresh: string): { client: RegisteredClient; secret?: string } => ({
    client,
    ...(client.secretHashes[0] === sha256(fresh) && { secret: fresh }),
  });

  /** The client to be, its secret, and what makes it, to be committed. */
  async function make(type: ClientType, terms: Terms, { registration, expiresAt }: Coming = {}) {
    const settled = await settle(store, type, terms);
    const secret = hasSecret(settled) ? newSecret() : undefined;
    const id = newId('cli');
    const at = now();
    const record: Client = {
      ...settled,
      secretHashes: secret ? [sha256(secret)] : [],
      ...(registration && { registration }),
      createdAt: at,
      updatedAt: at,
    };
    const details = {
      type,
      grants: record.grantTypes.join(' '),
      ...(registration && { leave: registration.initialToken ?? 'open' }),
    };
    const changes: readonly Change[] = [
      { put: 'clients', id, record, ...(expiresAt !== undefined && { expiresAt }), expect: 'absent' },
      registration
        ? audit.record('client.registered', { clientId: id, details })
        : audit.record('client.added', { clientId: id, details }),
    ];
    return { client: { id, ...record }, ...(secret && { secret }), changes };
  }

  return {
    /**
     * Gives the secret of a client that has one; nobody can ever read it again.
     * @throws Refusal `name_invalid`, `redirect_uri_invalid`, `redirect_uri_missing`, `redirect_uri_unused`,
     * `device_grant_unused`, `backchannel_logout_uri_invalid`, `scope_invalid`, `resource_unknown`, `acr_unknown`, `jwks_invalid`
     */
    async add({ type, ...terms }: NewClient): Promise<{ client: RegisteredClient; secret?: string }> {
      const { changes, ...made } = await make(type, terms);
      await store.commit(changes);
      return made;
    },

    /**
     * The same for an application that registers itself, to be committed with whatever gave it leave. It has no privilege.
     * @param expiresAt when it goes if nobody has used it
     * @throws Refusal as {@link add}
     */
    comes: (type: ClientType, said: SaidOfItself, registration: Registration, expiresAt?: number) =>
      make(type, said, { registration: { ...registration, ...said.about }, expiresAt }),

    /** The one that is built in as well. */
    async get(id: string): Promise<RegisteredClient | undefined> {
      if (id === own.id) return own;
      const row = await store.get('clients', id);
      return row && client(row);
    },

    /**
     * One that can be looked after: whoever registered it, it is not built in.
     * @throws Refusal `client_unknown`
     */
    registered: async (id: string): Promise<RegisteredClient> => client(await existing(id)),

    /** In the order of their ids. */
    async list(page?: Page): Promise<{ clients: readonly RegisteredClient[]; next?: string }> {
      const { rows, next } = await store.find('clients', 'all', '', page);
      return { clients: rows.map(client), ...(next && { next }) };
    },

    /** Those that have the text in their names, however it is written, and whichever has it as its id; at most so many. */
    async matching(text: string, most: number): Promise<readonly RegisteredClient[]> {
      const wanted = plainly(text);
      const found: RegisteredClient[] = [];
      for await (const row of every(store, 'clients', 'all', '')) {
        if (row.id === text || plainly(row.record.name).includes(wanted)) found.push(client(row));
        if (found.length === most) break;
      }
      return found;
    },

    /**
     * What is not named stays as it is; a client's type never changes. Gives the secret of one that had keys and has none now.
     * What is named an application that registered itself cannot change any more.
     * @param vouched people are not warned of it
     * @throws Refusal as {@link add}, `client_unknown`, `client_not_registered_itself`, `conflict`
     */
    async update(
      id: string,
      { vouched, ...patch }: Partial<ClientTerms> & { readonly vouched?: boolean | undefined },
      changing: Changing = {},
    ): Promise<{ client: RegisteredClient; secret?: string }> {
      const named = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
      const fresh = newSecret();
      const alter = async ({ record }: Row<Client>): Promise<Client> => {
        const terms = { ...termsOf(record), ...named, ...(patch.jwks === null && { jwks: undefined }) };
        const altered = resettled(record, await settle(store, record.type, terms), fresh);
        const { registration } = record;
        if (registration) return { ...altered, registration: decidedBy(registration, Object.keys(named), vouched) };
        if (vouched !== undefined)
          throw new Refusal(
            'client_not_registered_itself',
            `${id} was registered by an operator: nobody is warned of it`,
          );
        return altered;
      };
      return withFresh(await change(id, 'client.updated', alter, changing), fresh);
    },

    /**
     * An application that registered itself says of itself something else, all of it (RFC 7592 §2.2). What an operator
     * decided or gave it stays. By another name, or at another address, nobody vouches for it any more.
     * @throws Refusal as {@link add}, `client_unknown`
     */
    async restate(id: string, said: SaidOfItself): Promise<{ client: RegisteredClient; secret?: string }> {
      const fresh = newSecret();
      const restated = await change(
        id,
        'client.updated',
        async ({ record }) => {
          const { registration } = record;
          if (!registration) throw new Refusal('client_unknown', `${id} did not register itself`);
          const before = termsOf(record);
          const { tokenHash, initialToken, decided = [], vouched } = registration;
          const stays = Object.fromEntries(decided.map((name) => [name, before[name as keyof typeof before]]));
          const { passwordGrant, resources, firstParty, acrValues } = before;
          const given = { passwordGrant, resources, firstParty, acrValues };
          const settled = await settle(store, record.type, { ...said, ...given, ...stays });
          // Who vouched for it knew it by these.
          const isStill = settled.name === record.name && isDeepStrictEqual(settled.redirectUris, record.redirectUris);
          return {
            ...resettled(record, settled, fresh),
            registration: {
              tokenHash,
              ...(initialToken !== undefined && { initialToken }),
              ...(decided.length > 0 && { decided }),
              ...(vouched && isStill && { vouched }),
              ...said.about,
            },
          };
        },
        { itself: true },
      );
      return withFresh(restated, fresh);
    },

    /**
     * A new secret. Every old one stops at once; or the last is kept for the time it takes to bring the new one everywhere, and
     * those before it for as long as was said of them.
     * @throws Refusal `client_unknown`, `client_has_no_secret`, `time_invalid`, `secrets_many`, `conflict`
     */
    async rotateSecret(
      id: string,
      { keepOldFor, ...changing }: Changing & { readonly keepOldFor?: Duration | undefined } = {},
    ): Promise<{ client: RegisteredClient; secret: string }> {
      checkKeptFor(keepOldFor);
      const secret = newSecret();
      const alter = ({ record }: Row<Client>): Client => {
        if (!hasSecret(record))
          throw new Refusal('client_has_no_secret', `${id} proves itself by ${record.tokenEndpointAuthMethod}`);
        const { oldSecretsUntil: _, ...rest } = record;
        const at = now();
        return { ...rest, ...secretsReplaced({ id, ...record }, secret, { now: at, keepOldFor }), updatedAt: at };
      };
      const changed = await change(id, 'client.secret_rotated', alter, changing);
      return { client: changed, secret };
    },

    /**
     * The client, what people allowed it, and everything it was issued.
     * @param itself it asked for it
     * @throws Refusal `client_unknown`
     */
    remove(id: string, { itself = false } = {}): Promise<void> {
      return retryOnConflict(async () => {
        const { version, record } = await existing(id);
        const details = { name: record.name, ...(itself && { by: 'itself' }) };
        await sessions.endForClient(
          id,
          [{ remove: 'clients', id, expect: version }, audit.record('client.removed', { clientId: id, details })],
          // One that registered itself has none, and is not to have us look at every token.
          { ownTokens: !itself },
        );
      });
    },

    verifySecret: (client: Client, secret: string): boolean => isSecretOf(client, secret, now()),
  };
}

/** The registration after an operator named these terms. */
const decidedBy = (
  { vouched, ...registration }: Registration,
  named: readonly string[],
  vouch = vouched === true,
): Registration => ({
  ...registration,
  ...(named.length > 0 && { decided: [...new Set([...(registration.decided ?? []), ...named])] }),
  ...(vouch && { vouched: true }),
});
