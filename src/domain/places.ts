import { type Clock, minutes, sha256 } from '../lib/index.ts';
import type { SessionPlace, Store } from '../store/index.ts';
import { every } from './every.ts';

/** Where a session is being used from. */
interface Visit {
  readonly accountId: string;
  /** The IP address, as the edge believes it. */
  readonly address: string;
  /** The browser, as it calls itself. */
  readonly userAgent: string;
}

/** How exactly "last seen" is kept: one write in this time, however busy the session is. */
const EXACT_TO = minutes(5);
const LONGEST_USER_AGENT = 400;

/** Names a session towards people, and in our tables; nothing can be done with it but look it up. */
export const sessionIdOf = (uid: string): string => sha256(uid);

export type Places = ReturnType<typeof createPlaces>;

/** Where people are signed in, so that they can see whether it is them. */
export function createPlaces({ store, now }: { store: Store; now: Clock }) {
  return {
    /** What is kept of a visit; undefined where what is kept already says it. */
    after(before: SessionPlace | undefined, { accountId, address, userAgent }: Visit): SessionPlace | undefined {
      const at = now();
      const same = before?.accountId === accountId ? before : undefined;
      if (same && same.address === address && at - same.lastSeenAt < EXACT_TO) return undefined;
      return {
        accountId,
        address,
        userAgent: userAgent.slice(0, LONGEST_USER_AGENT),
        signedInAt: same?.signedInAt ?? at,
        lastSeenAt: at,
      };
    },

    /** By the session's id. Some may be of sessions that are over. */
    async listForAccount(accountId: string): Promise<ReadonlyMap<string, SessionPlace>> {
      const rows = every(store, 'session_places', 'accountId', accountId);
      return new Map(await Array.fromAsync(rows, ({ id, record }) => [id, record] as const));
    },
  };
}
