import type { Clock } from '../lib/index.ts';
import { prepare } from './changes.ts';
import type { Found, Page, Row, SeenRow, Store } from './contract.ts';
import { Database, pageOf } from './file/memory/index.ts';
import type { IndexName, TableName, Tables } from './records.ts';

/**
 * A store beside another, for a rehearsal: single rows are asked of the other one first, in vain or not, and whatever is put
 * stays here, in memory, and is gone with it. Of lists it knows only what was put here. It holds nobody to an expectation.
 */
export function aside(store: Store, now: Clock): Store {
  const data = new Database();
  return {
    async get<T extends TableName>(table: T, id: string) {
      const row = await store.get(table, id);
      return (data.live(table, id, now()) as Row<Tables[T]> | undefined) ?? row;
    },
    async find<T extends TableName>(table: T, index: IndexName<T>, value: string, { after, limit = 100 }: Page = {}) {
      const kept = data.table(table);
      const asked = { value, after, most: limit, now: now() };
      return pageOf(kept, await kept.index(String(index)), asked) as Found<Tables[T]>;
    },
    unchanged(seen) {
      const own = ({ table, id }: SeenRow) => data.live(table, id, now());
      const changed = seen.some((row) => (own(row)?.version ?? row.version) !== row.version);
      return !changed && store.unchanged(seen.filter((row) => !own(row)));
    },
    async commit(changes) {
      data.apply(prepare(changes), data.sequence + 1);
    },
    sweep: async () => 0,
    stats: () => store.stats(),
    close: async () => {},
  };
}
