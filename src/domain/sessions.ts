import { sha256 } from '../lib/index.ts';
import type { Artifact, Change, Row, Store, TableName } from '../store/index.ts';
import { COMMIT_SIZE, every } from './every.ts';
import type { Logouts } from './logouts.ts';

export type Sessions = ReturnType<typeof createSessions>;

const TOKENS = ['authorization_codes', 'device_codes', 'access_tokens', 'refresh_tokens'] as const;

/** By what is removed: the removal, and what is told of it in the same commit. */
type Pile = Map<string, readonly Change[]>;

/**
 * Ending what was issued: sessions, grants, codes and tokens. Each verb takes changes to make together with it: they are
 * in the first commit, so that nothing is ended for a reason that did not come true. Applications that want to know are
 * told of each grant that ends, whatever ended it.
 */
export function createSessions({
  store,
  logouts,
}: {
  readonly store: Store;
  readonly logouts: Pick<Logouts, 'tellOf'>;
}) {
  const pile = (into: Pile, table: TableName, id: string, also: readonly Change[] = []): void =>
    void into.set(`${table}/${id}`, [{ remove: table, id }, ...also]);

  async function pileTokens(into: Pile, grantId: string): Promise<void> {
    for (const table of TOKENS)
      for await (const { id } of every(store, table, 'grantId', grantId)) pile(into, table, id);
  }

  async function pileGrant(into: Pile, row: Row<Artifact>): Promise<void> {
    pile(into, 'grants', row.id, await logouts.tellOf(row));
    if (row.record.grantId) await pileTokens(into, row.record.grantId);
  }

  /** Collects again after committing: what was issued meanwhile is ended as well. Gives the number of rows removed. */
  async function end(collect: (into: Pile) => Promise<void>, alongside: readonly Change[]): Promise<number> {
    let first = alongside;
    for (let total = 0; ; ) {
      const found: Pile = new Map();
      await collect(found);
      const ends = [...found.values()];
      while (first.length + ends.length > 0) {
        await store.commit([...first, ...ends.splice(0, COMMIT_SIZE).flat()]);
        first = [];
      }
      total += found.size;
      if (found.size === 0) return total;
    }
  }

  return {
    /**
     * Ends everything a person has here and everywhere: browser sessions, grants, codes, tokens.
     * @param except the id of the one session that goes on; what applications were issued in it ends all the same
     */
    endForAccount(
      accountId: string,
      alongside: readonly Change[] = [],
      { except }: { readonly except?: string | undefined } = {},
    ): Promise<number> {
      return end(async (into) => {
        for await (const { id, record } of every(store, 'sessions', 'accountId', accountId))
          if (!except || record.uid !== except) pile(into, 'sessions', id);
        for await (const { id } of every(store, 'session_places', 'accountId', accountId))
          if (id !== except) pile(into, 'session_places', id);
        for await (const row of every(store, 'grants', 'accountId', accountId)) await pileGrant(into, row);
        for (const table of TOKENS)
          for await (const { id } of every(store, table, 'accountId', accountId)) pile(into, table, id);
      }, alongside);
    },

    /**
     * Ends everything an application was issued, and what people allowed it.
     * @param ownTokens it may have had tokens of its own (no person, no grant), which takes one look at every token
     */
    endForClient(
      clientId: string,
      alongside: readonly Change[],
      { ownTokens }: { readonly ownTokens: boolean },
    ): Promise<number> {
      return end(async (into) => {
        for await (const { id } of every(store, 'consents', 'clientId', clientId)) pile(into, 'consents', id);
        for await (const row of every(store, 'grants', 'clientId', clientId)) await pileGrant(into, row);
        for (const table of ownTokens ? TOKENS : [])
          for await (const { id, record } of every(store, table, 'all', ''))
            if (record.clientId === clientId) pile(into, table, id);
      }, alongside);
    },

    /** Ends what one person has at one application. */
    endForPair(accountId: string, clientId: string, alongside: readonly Change[] = []): Promise<number> {
      return end(async (into) => {
        for await (const row of every(store, 'grants', 'accountId', accountId))
          if (row.record.clientId === clientId) await pileGrant(into, row);
      }, alongside);
    },

    /** Ends what was issued under a grant, and leaves the grant. */
    endTokens(grantId: string): Promise<number> {
      return end((into) => pileTokens(into, grantId), []);
    },

    /** Ends several grants and all that was issued under them. */
    endGrants(grantIds: readonly string[], alongside: readonly Change[] = []): Promise<number> {
      return end(async (into) => {
        for (const grantId of grantIds) {
          const known = await store.get('grants', sha256(grantId));
          await (known ? pileGrant(into, known) : pileTokens(into, grantId));
        }
      }, alongside);
    },

    /** Ends one grant and all that was issued under it. */
    endGrant(grantId: string, alongside: readonly Change[] = []): Promise<number> {
      return this.endGrants([grantId], alongside);
    },
  };
}
