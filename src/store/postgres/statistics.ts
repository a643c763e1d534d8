import type { StoreStats } from '../contract.ts';
import { TABLE_NAMES } from '../records.ts';
import type { Connections } from './connections.ts';
import { isReadOnly, unavailable } from './errors.ts';

/** Rows are counted one by one up to this many; beyond, the database's own estimate is told. */
const COUNTED = 10_000;

const counts = TABLE_NAMES.map(
  (
    table,
  ) => `SELECT '${table}' AS name, (SELECT count(*) FROM (SELECT FROM postern.${table} LIMIT ${COUNTED}) AS few) AS counted,
    (SELECT reltuples FROM pg_class WHERE oid = 'postern.${table}'::regclass) AS estimate,
    pg_total_relation_size('postern.${table}') AS bytes`,
).join(' UNION ALL ');

interface Counted {
  readonly name: string;
  readonly counted: string;
  readonly estimate: number;
  readonly bytes: string;
}

/** What the database says of our tables, and whether it takes writes at all. @throws StoreUnavailable */
export async function statistics(
  connections: Connections,
): Promise<Pick<StoreStats, 'rows' | 'bytes'> & { readonly readOnly: boolean }> {
  try {
    const deadline = connections.deadline();
    const readOnly = await isRefused(connections, deadline);
    const { rows } = await connections.run<Counted>({ name: 'statistics', text: counts }, deadline);
    const counted = rows.map(({ name, counted, estimate }) => {
      const exact = Number(counted);
      return [name, exact < COUNTED ? exact : Math.max(exact, Math.round(estimate))];
    });
    return {
      rows: Object.fromEntries(counted) as StoreStats['rows'],
      bytes: rows.reduce((sum, { bytes }) => sum + Number(bytes), 0),
      readOnly,
    };
  } catch (error) {
    throw unavailable(error);
  }
}

/** Asks for the right to change a row, of none: that is refused where nothing can be written. */
async function isRefused(connections: Connections, deadline: number): Promise<boolean> {
  try {
    await connections.run({ text: 'SELECT FROM postern.commits WHERE false FOR UPDATE' }, deadline);
    return false;
  } catch (error) {
    if (isReadOnly(error)) return true;
    throw error;
  }
}
