/**
 * The accounting of every fault test: each call is written down before it is made and after it ended, and when the store
 * is back every object is asked for.
 *
 * lost: acknowledged, and gone. Resurrected: used or removed, and works again. Phantom: refused, and works.
 */
import { type Change, type Store, StoreConflict } from '../../src/store/index.ts';
import { artifact } from './records.ts';

/** `put` makes a code; `use` marks it as used by `by` and issues the token `<id>/<by>` in the same commit; `remove` ends it. */
export type Call =
  | { readonly do: 'put'; readonly id: string }
  | { readonly do: 'use'; readonly id: string; readonly by: number }
  | { readonly do: 'remove'; readonly id: string };

export type Outcome = 'ok' | 'fail' | 'unknown';

export interface Verdict {
  acknowledged: number;
  unknown: number;
  lost: string[];
  resurrected: string[];
  phantom: string[];
}

export async function changesOf(store: Store, call: Call): Promise<Change[]> {
  if (call.do === 'put') return [{ put: 'authorization_codes', id: call.id, record: artifact(), expect: 'absent' }];
  const { version = -1 } = (await store.get('authorization_codes', call.id)) ?? {};
  if (call.do === 'remove') return [{ remove: 'authorization_codes', id: call.id, expect: version }];
  return [
    { put: 'authorization_codes', id: call.id, record: artifact({ consumedAt: call.by }), expect: version },
    { put: 'access_tokens', id: `${call.id}/${call.by}`, record: artifact({ grantId: call.id }), expect: 'absent' },
  ];
}

export class AccountBook {
  readonly #objects = new Map<string, { call: Call; outcome: Outcome }[]>();

  /** Writes a call down; it is unknown until the returned function says how it ended. */
  begin(call: Call): (outcome: Outcome) => void {
    const entry = { call, outcome: 'unknown' as Outcome };
    const entries = this.#objects.get(call.id);
    if (entries) entries.push(entry);
    else this.#objects.set(call.id, [entry]);
    return (outcome) => {
      entry.outcome = outcome;
    };
  }

  /** Makes a call of the store and writes it down. */
  async make(store: Store, call: Call): Promise<Outcome> {
    const changes = await changesOf(store, call);
    const end = this.begin(call);
    const outcome = await store.commit(changes).then(
      (): Outcome => 'ok',
      (error): Outcome => (error instanceof StoreConflict ? 'fail' : 'unknown'),
    );
    end(outcome);
    return outcome;
  }

  /** Asks for every object. */
  async audit(store: Store): Promise<Verdict> {
    const verdict: Verdict = { acknowledged: 0, unknown: 0, lost: [], resurrected: [], phantom: [] };
    for (const [id, entries] of this.#objects) {
      for (const { outcome } of entries) {
        if (outcome === 'ok') verdict.acknowledged += 1;
        if (outcome === 'unknown') verdict.unknown += 1;
      }
      const has = (what: Call['do'], outcome: Outcome) =>
        entries.some(({ call, outcome: ended }) => call.do === what && ended === outcome);
      const row = await store.get('authorization_codes', id);
      const used = row?.record.consumedAt;
      const mayBeGone = has('remove', 'ok') || has('remove', 'unknown');
      if (has('put', 'ok') && !row && !mayBeGone) verdict.lost.push(id);
      if (row && has('remove', 'ok')) verdict.resurrected.push(id);
      if (row && used === undefined && has('use', 'ok')) verdict.resurrected.push(id);
      for (const { call, outcome } of entries) {
        if (call.do !== 'use') continue;
        const token = await store.get('access_tokens', `${id}/${call.by}`);
        if (outcome === 'ok' && !token) verdict.lost.push(`${id}/${call.by}`);
        if (outcome === 'ok' && row && used !== call.by) verdict.resurrected.push(`${id} used by ${call.by}`);
        if (outcome === 'fail' && (token || used === call.by)) verdict.phantom.push(`${id}/${call.by}`);
        // Half a commit is as bad as none.
        if (outcome === 'unknown' && row && (used === call.by) !== Boolean(token)) verdict.lost.push(`half of ${id}`);
      }
    }
    return verdict;
  }
}

export const inWords = ({ acknowledged, unknown, lost, resurrected, phantom }: Verdict): string =>
  `${acknowledged} acknowledged: lost ${lost.length}, resurrected ${resurrected.length}, phantom ${phantom.length} (${unknown} unknown)`;
