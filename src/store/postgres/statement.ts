import type { QueryConfig } from 'pg';
import type { TableName } from '../records.ts';

/** One question: the row of an id, or a page of rows by a key (the whole table without one). */
export type Asked =
  | { readonly table: TableName; readonly id: string }
  | {
      readonly table: TableName;
      readonly key: { readonly column: string; readonly value: string } | undefined;
      readonly after: string;
      readonly limit: number;
    };

/** Texts that are prepared under a name; each costs every connection a plan, so there is an end to them. */
const MOST_NAMED = 200;
const names = new Map<string, string>();

/** Many questions as one statement: a part for each table whose ids are asked for, a part for each page. */
export function statement(asked: readonly Asked[], now: number) {
  const values: unknown[] = [];
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  const ids = new Map<TableName, Set<string>>();
  for (const one of asked) {
    if (!('id' in one)) continue;
    const known = ids.get(one.table);
    if (known) known.add(one.id);
    else ids.set(one.table, new Set([one.id]));
  }
  // In one order, so that the same questions are the same text.
  const tables = [...ids.keys()].toSorted();
  const parts = tables.map(
    (table, part) =>
      `SELECT ${part} AS part, ${ROW} FROM postern.${table} WHERE id = ANY(${parameter([...ids.get(table)!])})`,
  );
  const places = asked.map((one): string => {
    if ('id' in one) return `${tables.indexOf(one.table)}/${one.id}`;
    const { table, key, after, limit } = one;
    const where = key ? `${key.column} = ${parameter(key.value)} AND ` : '';
    parts.push(
      `(SELECT ${parts.length} AS part, ${ROW} FROM postern.${table} WHERE ${where}id > ${parameter(after)} AND ` +
        `(expires_at IS NULL OR expires_at > ${parameter(now)}) ORDER BY id LIMIT ${parameter(limit)}::int)`,
    );
    return `${parts.length - 1}`;
  });
  const text = parts.join(' UNION ALL ');
  const name = nameOf(text);
  const query: QueryConfig = { text, values, ...(name && { name }) };
  return { query, partOf: { places, gets: new Set(tables.keys()) } };
}

const ROW = 'id, version, expires_at, record';

function nameOf(text: string): string | undefined {
  let name = names.get(text);
  if (!name && names.size < MOST_NAMED) {
    name = `read-${names.size}`;
    names.set(text, name);
  }
  return name;
}
