import type { Found } from '../../contract.ts';
import { isLive } from './row.ts';
import type { Table } from './table.ts';
import type { TableIndex } from './table-index.ts';

interface Wanted {
  readonly value: string;
  readonly after: string | undefined;
  /** How many rows a page holds. */
  readonly most: number;
  readonly now: number;
}

/** The live rows an index has for a value, in the order of their ids, as many as a page holds. */
export function pageOf(table: Table, index: TableIndex, { value, after, most, now }: Wanted): Found<object> {
  const rows: Found<object>['rows'][number][] = [];
  for (const slot of index.slots(value, after)) {
    if (!isLive({ expiresAt: table.rows.expiresAt(slot) }, now)) continue;
    const row = table.at(slot);
    if (!index.has(value, row.record)) continue;
    if (rows.length === most) return { rows, next: rows.at(-1)!.id };
    rows.push(row);
  }
  return { rows };
}
