import { type AdapterPayload, errors } from 'oidc-provider';
import type { Put } from '../store/index.ts';

/**
 * Two tabs of one browser authorized two clients at once: the later commit keeps what the earlier one added, instead of
 * overwriting it (a code issued to the other tab would then not be redeemable). A session that ended meanwhile, or that
 * is another person's by now, is not brought back.
 */
export function mergeSession(
  ours: AdapterPayload,
  theirs: AdapterPayload | undefined,
  version: number | undefined,
  toPut: (merged: AdapterPayload) => Put<'sessions'>,
): Put<'sessions'> {
  if (!theirs || version === undefined || theirs.accountId !== ours.accountId) {
    throw new errors.SessionNotFound('the session ended while the request was being answered');
  }
  const put = toPut({ ...ours, authorizations: { ...theirs.authorizations, ...ours.authorizations } });
  return { ...put, expect: version };
}
