import { sha256 } from '../lib/index.ts';
import type { Artifact, Put, Row, Store } from '../store/index.ts';
import type { Deliveries } from './deliveries.ts';

/** Somebody's session with an application is over. */
export interface Ended {
  readonly clientId: string;
  readonly accountId: string;
  /** As ID tokens named the session (`sid`). */
  readonly sid: string;
}

export type Logouts = ReturnType<typeof createLogouts>;

/**
 * How ID tokens name somebody's session with an application. Each such session has a grant of its own, so that whoever
 * ends the grant knows the name.
 */
export const sidOf = (grantId: string): string => sha256(`sid\n${grantId}`);

/** Telling applications that somebody is signed out (OIDC Back-Channel Logout 1.0 §2): those that want to hear of it. */
export function createLogouts({ store, deliveries }: { readonly store: Store; readonly deliveries: Deliveries }) {
  /** The changes that have it told, to go into the commit that ends the session. */
  async function tell({ clientId, accountId, sid }: Ended): Promise<Put<'deliveries'>[]> {
    const client = await store.get('clients', clientId);
    if (!client?.record.backchannelLogout) return [];
    return [deliveries.enqueue('logout', { clientId, accountId, sid }, { accountId })];
  }

  return {
    tell,

    /** The same for a grant that ends. */
    async tellOf({ record: { grantId, clientId, accountId } }: Row<Artifact>): Promise<Put<'deliveries'>[]> {
      return grantId && clientId && accountId ? tell({ clientId, accountId, sid: sidOf(grantId) }) : [];
    },
  };
}
