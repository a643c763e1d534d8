import type { Clock, Logger } from '../lib/index.ts';
import { type Mark, type Store, StoreUnavailable } from '../store/index.ts';
import { retryOnConflict } from './retry.ts';

interface Options {
  readonly store: Store;
  readonly now: Clock;
  readonly log: Logger;
  /** As which the store is served from now on. */
  readonly issuer: string;
}

/**
 * Keeps as which issuer a store is served, and warns where that was another: tokens are good for the issuer that they name
 * alone (RFC 9068 §4). It may be meant so; of processes that serve one store at once it never is. Of those that start
 * together one warns.
 * @returns to be called after the marks changed: warns where another process has begun to serve the store as another issuer,
 * so that whoever served it before says so too
 */
export async function noteIssuer({ store, now, log, issuer }: Options): Promise<() => Promise<void>> {
  /** What the store says that was told already. */
  let told = issuer;
  const before = await retryOnConflict(async () => {
    const mark = await store.get('marks', 'issuer');
    if (mark?.record.other === issuer) return undefined;
    const record = { at: now(), other: issuer };
    try {
      await store.commit([{ put: 'marks', id: 'issuer', record, expect: mark?.version ?? 'absent' }]);
    } catch (error) {
      // Then the next start says it again.
      if (!(error instanceof StoreUnavailable)) throw error;
      told = mark?.record.other ?? issuer;
    }
    return mark?.record;
  });
  if (before)
    log.warn(
      { issuer, before: before.other, since: since(before) },
      'the store was served as another issuer before: tokens issued as that are refused here; servers on one store must have the same issuer',
    );
  return async () => {
    const mark = (await store.get('marks', 'issuer'))?.record;
    if (!mark || mark.other === told) return;
    told = mark.other;
    if (told === issuer) return;
    log.warn(
      { issuer, other: told, since: since(mark) },
      'another process serves the store as another issuer: each refuses the tokens of the other; servers on one store must have the same issuer',
    );
  };
}

const since = ({ at }: Mark): string => new Date(at).toISOString();
