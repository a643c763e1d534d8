import type { Clock } from '../../src/lib/index.ts';
import {
  type Change,
  type Found,
  type IndexName,
  type Page,
  type Row,
  type Store,
  StoreConflict,
  TABLE_NAMES,
  TABLES,
  type TableName,
  type Tables,
} from '../../src/store/index.ts';

type AnyRow = Row<Tables[TableName]>;

/** The contract kept in memory alone, for tests of the rooms above the store. A commit takes a turn of the event loop. */
export function memoryStore(now: Clock = Date.now): Store & { readonly commits: readonly (readonly Change[])[] } {
  const tables = new Map<TableName, Map<string, AnyRow>>(TABLE_NAMES.map((name) => [name, new Map()]));
  const commits: (readonly Change[])[] = [];
  let version = 0;

  const live = (table: TableName, id: string): AnyRow | undefined => {
    const row = tables.get(table)?.get(id);
    return row && (row.expiresAt === undefined || row.expiresAt > now()) ? row : undefined;
  };

  const check = (change: Change): void => {
    if (change.expect === undefined) return;
    const table = 'put' in change ? change.put : change.remove;
    const found = live(table, change.id)?.version;
    if (change.expect === 'absent' ? found !== undefined : found !== change.expect)
      throw new StoreConflict(table, change.id);
  };

  const apply = (change: Change): void => {
    if ('remove' in change) return void tables.get(change.remove)?.delete(change.id);
    const record = freeze(JSON.parse(JSON.stringify(change.record)));
    const row = { id: change.id, version: ++version, record };
    tables
      .get(change.put)
      ?.set(change.id, change.expiresAt === undefined ? row : { ...row, expiresAt: change.expiresAt });
  };

  return {
    commits,
    async get<T extends TableName>(table: T, id: string) {
      return live(table, id) as Row<Tables[T]> | undefined;
    },
    unchanged: (seen) => seen.every(({ table, id, version }) => live(table, id)?.version === version),
    async find<T extends TableName>(table: T, index: IndexName<T>, value: string, page: Page = {}) {
      const read = (TABLES[table].indexes as Record<string, (record: never) => string | undefined>)[index as string];
      if (!read && index !== 'all') throw new Error(`${table} has no index ${String(index)}`);
      const limit = Math.min(page.limit ?? 100, 1000);
      const rows = [...(tables.get(table)?.keys() ?? [])]
        .toSorted()
        .filter((id) => id > (page.after ?? ''))
        .flatMap((id) => live(table, id) ?? [])
        .filter((row) => (read ? read(row.record as never) === value : true));
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      return (rows.length > limit && last ? { rows: shown, next: last.id } : { rows: shown }) as unknown as Found<
        Tables[T]
      >;
    },
    async commit(changes) {
      for (const change of changes) check(change);
      for (const change of changes) apply(change);
      commits.push(changes);
      await new Promise((resolve) => setImmediate(resolve));
    },
    async sweep(before) {
      let swept = 0;
      for (const rows of tables.values())
        for (const row of rows.values())
          if (row.expiresAt !== undefined && row.expiresAt <= before && rows.delete(row.id)) swept++;
      return swept;
    },
    async stats() {
      const rows = Object.fromEntries([...tables].map(([name, kept]) => [name, kept.size])) as Record<
        TableName,
        number
      >;
      return { engine: 'file', rows, bytes: 0, commits: commits.length, writable: true };
    },
    async close() {},
  };
}

function freeze<V>(value: V): V {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(Object.freeze(value))) freeze(part);
  return value;
}
