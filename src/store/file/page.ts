import type { Found } from '../contract.ts';
import { isLive } from './row.ts';
import type { Table } from './table.ts';

/** The live rows of these ids, as many as a page holds. */
export function pageOf(
  table: Table,
  ids: Iterable<string>,
  { now, most }: { readonly now: number; readonly most: number },
): Found<object> {
  const rows: Found<object>['rows'][number][] = [];
  for (const id of ids) {
    const row = table.get(id)!;
    if (!isLive(row, now)) continue;
    if (rows.length === most) return { rows, next: rows.at(-1)!.id };
    rows.push(row);
  }
  return { rows };
}
