import { type Clock, type Duration, inSeconds, sha256 } from '../lib/index.ts';
import type { Change, GuessCounter, Put, Row, Store } from '../store/index.ts';
import { retryOnConflict } from './retry.ts';

/** Something that may happen so many times in a window that begins with the first. */
export interface Bucket {
  readonly id: string;
  readonly limit: number;
  readonly window: Duration;
  /** How long its row stays after it was written, where that is longer than its window. */
  readonly keep: Duration;
}

/** What is counted is told by its digest alone: the store shows neither address nor network. */
export const bucketOf = (kind: string, of: string, limit: number, window: Duration, keep: Duration = 0): Bucket => ({
  id: sha256(`${kind}\n${of}`),
  limit,
  window,
  keep,
});

/** It was counted, and may be taken back; or nothing was, and `wait` says in how many seconds to try again, at least 1 (RFC 9110 §10.2.3). */
export type Taken =
  | { readonly wait?: undefined; giveBack(also?: () => Promise<readonly Change[]>): Promise<void> }
  | { readonly wait: number };

/** Counts in the store, so that they hold in every process and over a restart. */
export function createCounters({ store, now }: { readonly store: Store; readonly now: Clock }) {
  /** The count of the running window: a window that is over counts nothing, and begins anew. */
  const running = ({ window }: Bucket, row: Row<GuessCounter> | undefined): GuessCounter =>
    row && row.record.since + window > now() ? row.record : { count: 0, since: now() };

  const put = ({ id, window, keep }: Bucket, record: GuessCounter, row?: Row<GuessCounter>): Put<'guesses'> => ({
    put: 'guesses',
    id,
    record,
    expiresAt: Math.max(record.since + window, keep && now() + keep),
    expect: row?.version ?? 'absent',
  });

  /** Takes back what was counted in the windows that began then, where they still run. `also` has the last word on a row. */
  function giveBack(
    buckets: readonly Bucket[],
    since: readonly number[],
    also: () => Promise<readonly Change[]>,
  ): Promise<void> {
    return retryOnConflict(async () => {
      const changes = [...(await also())];
      for (const [i, each] of buckets.entries()) {
        const row = await store.get('guesses', each.id);
        if (!row || row.record.since !== since[i] || row.record.count === 0) continue;
        if (changes.some(({ id }) => id === each.id)) continue;
        changes.push(put(each, { ...row.record, count: row.record.count - 1 }, row));
      }
      if (changes.length > 0) await store.commit(changes);
    });
  }

  return {
    /** One more in each, in one commit with `also`; or in none of them. */
    take(buckets: readonly Bucket[], also: readonly Change[] = []): Promise<Taken> {
      return retryOnConflict(async () => {
        const rows = await Promise.all(buckets.map(({ id }) => store.get('guesses', id)));
        const counters = buckets.map((each, i) => running(each, rows[i]));
        const waits = buckets.flatMap(({ limit, window }, i) =>
          counters[i]!.count >= limit ? [counters[i]!.since + window - now()] : [],
        );
        if (waits.length > 0) return { wait: Math.max(1, inSeconds(Math.max(...waits) + 999)) };
        const counted = buckets.map((each, i) =>
          put(each, { ...counters[i]!, count: counters[i]!.count + 1 }, rows[i]),
        );
        await store.commit([...counted, ...also]);
        const since = counters.map((counter) => counter.since);
        return { giveBack: (alongside = async () => []) => giveBack(buckets, since, alongside) };
      });
    },

    /** The change that begins a window anew, with nothing counted in it. */
    async anew(bucket: Bucket): Promise<Change> {
      return put(bucket, { count: 0, since: now() }, await store.get('guesses', bucket.id));
    },
  };
}
