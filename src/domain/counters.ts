import { type Clock, type Duration, sha256 } from '../lib/index.ts';
import type { Change, GuessCounter, Put, Row, Store } from '../store/index.ts';
import { retryOnConflict } from './retry.ts';

/** Something that may happen so many times in a window that begins with the first. */
export interface Bucket {
  readonly id: string;
  readonly limit: number;
  readonly window: Duration;
}

/** What is counted is told by its digest alone: the store shows neither address nor network. */
export const bucketOf = (kind: string, of: string, limit: number, window: Duration): Bucket => ({
  id: sha256(`${kind}\n${of}`),
  limit,
  window,
});

/** Counts in the store, so that they hold in every process and over a restart. */
export function createCounters({ store, now }: { readonly store: Store; readonly now: Clock }) {
  const running = (row: Row<GuessCounter> | undefined, window: Duration): GuessCounter =>
    row && row.record.since + window > now() ? row.record : { count: 0, since: now() };

  const put = ({ id, window }: Bucket, { count, since }: GuessCounter, row?: Row<GuessCounter>): Put<'guesses'> => ({
    put: 'guesses',
    id,
    record: { count: count + 1, since },
    expiresAt: since + window,
    expect: row?.version ?? 'absent',
  });

  return {
    /** One more in each, in one commit with `also`; or nothing, and how long to wait. */
    take(buckets: readonly Bucket[], also: readonly Change[] = []): Promise<Duration | undefined> {
      return retryOnConflict(async () => {
        const rows = await Promise.all(buckets.map(({ id }) => store.get('guesses', id)));
        const counters = buckets.map(({ window }, i) => running(rows[i], window));
        const waits = buckets.flatMap(({ limit, window }, i) =>
          counters[i]!.count >= limit ? [counters[i]!.since + window - now()] : [],
        );
        if (waits.length > 0) return Math.max(...waits);
        await store.commit([...buckets.map((each, i) => put(each, counters[i]!, rows[i])), ...also]);
        return undefined;
      });
    },
  };
}
