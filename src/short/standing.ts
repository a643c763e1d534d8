import type { OpenArtifact } from '../engine/index.ts';
import { type Clock, sha256 } from '../lib/index.ts';
import type { Reader } from './grounds.ts';

/** As the engine keeps a token or a code, or would. */
export type Token = ReturnType<OpenArtifact>;

/** Whether there is nothing in it but what is known here: whatever else is stored is the engine's to judge. */
export const hasOnly = (payload: object, known: ReadonlySet<string>): boolean =>
  Object.keys(payload).every((name) => known.has(name));

/** What is in a grant of which nothing was refused. */
export const GRANT_KNOWN = new Set(['jti', 'kind', 'iat', 'exp', 'accountId', 'clientId', 'openid', 'resources']);

/** It is as late as the later of the engine's clock and the store's says. */
export const latest = (now: Clock): number => Math.max(now(), Date.now());

/** What a token or a code hangs on, read each time where the engine reads it: what was ended is ended at once. */
export function standing(
  store: Pick<Reader, 'get' | 'find'> & { until?(time: number): void },
  open: OpenArtifact,
  now: Clock,
) {
  function isLive({ exp }: Token): boolean {
    if (exp === undefined) return false;
    store.until?.(exp * 1000);
    return exp * 1000 > latest(now);
  }

  return {
    isLive,

    /** The grant, where it still holds for this person and client. */
    async grantOf({ grantId, clientId, accountId }: Token): Promise<Token | undefined> {
      const row = grantId ? await store.get('grants', sha256(grantId)) : undefined;
      const grant = row && open('grants', row);
      return grant && isLive(grant) && grant.clientId === clientId && grant.accountId === accountId ? grant : undefined;
    },

    /** Whether the session goes on, of what ends with one. */
    async sessionStands({ expiresWithSession, sessionUid, clientId, accountId, grantId }: Token): Promise<boolean> {
      if (!expiresWithSession) return true;
      const { rows } = await store.find('sessions', 'uid', sha256(sessionUid ?? ''), { limit: 1 });
      const session = rows[0] && open('sessions', rows[0]);
      if (!session || !isLive(session) || session.accountId !== accountId) return false;
      return session.authorizations?.[clientId ?? '']?.grantId === grantId;
    },
  };
}
