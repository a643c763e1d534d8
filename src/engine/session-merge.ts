import type { AdapterPayload } from 'oidc-provider';
import { type Put, StoreConflict } from '../store/index.ts';

/**
 * Two tabs of one browser authorized two clients at once: the later commit keeps what the earlier one added, instead of
 * overwriting it (a code issued to the other tab would then not be redeemable). Where there is more to it, the request
 * is answered anew: the session ended, belongs to somebody else by now, or both tabs made a grant for the same client.
 * @throws StoreConflict
 */
export function mergeSession(
  ours: AdapterPayload,
  theirs: AdapterPayload | undefined,
  version: number | undefined,
  toPut: (merged: AdapterPayload) => Put<'sessions'>,
): Put<'sessions'> {
  const put = toPut({ ...theirs, ...ours, authorizations: { ...theirs?.authorizations, ...ours.authorizations } });
  const agree = Object.entries(ours.authorizations ?? {}).every(
    ([client, { grantId }]) => (theirs?.authorizations?.[client]?.grantId ?? grantId) === grantId,
  );
  if (!theirs || version === undefined || theirs.accountId !== ours.accountId || !agree)
    throw new StoreConflict('sessions', put.id);
  return { ...put, expect: version };
}
