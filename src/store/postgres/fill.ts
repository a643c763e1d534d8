import type { Duration } from '../../lib/index.ts';
import { TABLE_NAMES, TABLES, type TableName } from '../records.ts';
import { Tally, tallied } from '../tally.ts';
import type { Batches, StoredRow } from '../whole.ts';
import type { Client } from './client.ts';
import { DatabaseRefused } from './errors.ts';
import { columnOf, keysOf } from './keys.ts';
import { readThrough } from './rows.ts';

/** Rows in one statement. */
const INSERTED = 2000;

/**
 * Puts these rows in place of everything, in the client's transaction, and reads them back.
 * @param step as of {@link readThrough}
 * @throws DatabaseRefused when the database does not hold what was written to it
 */
export async function fill(client: Client, rows: Batches, step: Duration): Promise<Tally> {
  const given = new Tally();
  await client.query(`TRUNCATE postern.commits, ${TABLE_NAMES.map((table) => `postern.${table}`).join(', ')}`);
  const waiting = new Map<TableName, StoredRow[]>();
  // The next rows are made ready while the database takes the last ones.
  let last: Promise<unknown> = Promise.resolve();
  const send = async (table: TableName, some: StoredRow[]): Promise<void> => {
    await last;
    last = insert(client, table, some);
    last.catch(() => {});
  };
  for await (const batch of tallied(rows, given)) {
    for (const row of batch) {
      const others = waiting.get(row.table);
      if (others) others.push(row);
      else waiting.set(row.table, [row]);
    }
    for (const [table, some] of waiting) if (some.length >= INSERTED) await send(table, some.splice(0));
  }
  for (const [table, some] of waiting) if (some.length > 0) await send(table, some);
  await last;
  const written = new Tally();
  for await (const _ of tallied(readThrough(client, 0, step), written));
  if (written.digest !== given.digest)
    throw new DatabaseRefused('database_unusable', 'the database does not hold what was written to it');
  return given;
}

async function insert(client: Client, table: TableName, rows: readonly StoredRow[]): Promise<void> {
  const indexes = Object.keys(TABLES[table].indexes).map(columnOf);
  const keys = indexes.length === 0 ? [] : rows.map(({ json }) => keysOf(table, JSON.parse(json)) ?? {});
  const columns = ['id', 'expires_at', 'record', ...indexes].join(', ');
  await client.query({
    name: `fill ${table}`,
    text: `INSERT INTO postern.${table} (version, ${columns})
      SELECT nextval('postern.versions'), ${columns}
      FROM unnest($1::text[], $2::float8[], $3::text[]${indexes.map((_, i) => `, $${i + 4}::text[]`).join('')})
        AS given(${columns})`,
    values: [
      rows.map(({ id }) => id),
      rows.map(({ expiresAt }) => expiresAt ?? null),
      rows.map(({ json }) => json),
      ...indexes.map((column) => keys.map((each) => each[column] ?? null)),
    ],
  });
}
