import { type Duration, seconds } from '../lib/index.ts';
import type { Factor, TableName, Tables } from '../store/index.ts';

/** `ends`: nothing of it comes back. A function gives what it comes back as, where it does. */
export type Fate<R> = 'returns' | 'ends' | ((record: R, at: number) => R | undefined);

/** RFC 6238 §4.1: the step every authenticator application uses. */
const TOTP_STEP: Duration = seconds(30);

/**
 * What becomes of each table's rows when a backup is restored at the moment `at`.
 *
 * Whatever was used or revoked after the backup was taken stands in it unused and unrevoked, and nothing tells which it
 * is. So all that is used once or can be revoked ends; what people and operators made comes back. A new table has to be
 * given its line here before anything compiles.
 */
export const FATES: { readonly [T in TableName]: Fate<Tables[T]> } = {
  // What people and operators made. Decisions taken since are undone: restore-differences.ts tells of them.
  accounts: 'returns',
  emails: 'returns',
  imports: 'returns',
  clients: 'returns',
  resources: 'returns',
  consents: 'returns',
  upstreams: 'returns',
  identities: 'returns',
  factors: restoredFactor,

  // What happened stays known.
  audit: 'returns',
  refusals: 'returns',

  // Rights that were given out: people sign in again.
  sessions: 'ends',
  session_places: 'ends',
  grants: 'ends',
  interactions: 'ends',
  authorization_codes: 'ends',
  device_codes: 'ends',
  access_tokens: 'ends',
  refresh_tokens: 'ends',
  refresh_answers: 'ends',
  pushed_requests: 'ends',
  links: 'ends',
  initial_access_tokens: 'ends',
  challenges: 'ends',
  upstream_requests: 'ends',

  // New ones are made: nothing that was signed before, by a key revoked since or any other, is good any more.
  signing_keys: 'ends',
  server_secrets: 'ends',

  // Says of some assertions that they were seen; the mark `restored` says it of all.
  seen: 'ends',
  // Of a page that was left open since: it is for a session that ended.
  sent_forms: 'ends',
  // Counters of a window that is over; which browsers are known, the next sign-ins tell.
  guesses: 'ends',
  // May have been sent since. A mailed link would be good for nothing.
  deliveries: 'ends',
  // Said of the store it was taken from.
  marks: 'ends',
};

function restoredFactor(factor: Factor, at: number): Factor | undefined {
  // Which codes were used since, nobody knows, and none may work twice. The next sign-in gives new ones.
  if (factor.kind === 'recovery') return undefined;
  if (factor.kind !== 'totp') return factor;
  // A code is good for its own step and the ones beside it: the latest that may have been used is the next one's.
  return { ...factor, lastStep: Math.max(factor.lastStep ?? 0, Math.floor(at / TOTP_STEP) + 1) };
}
