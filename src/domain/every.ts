import { setImmediate as turn } from 'node:timers/promises';
import type { Change, IndexName, Page, Row, Store, TableName, Tables } from '../store/index.ts';

/**
 * Every live row of an index, page by page, in the order of their ids. A store in memory has each at once: between two pages it
 * is others' turn, or a table of a million rows would keep everybody waiting for seconds.
 * @param page where to begin, and how many are read at once
 */
export async function* every<T extends TableName>(
  store: Store,
  table: T,
  index: IndexName<T>,
  value: string,
  { after: from, limit = 500 }: Page = {},
): AsyncGenerator<Row<Tables[T]>> {
  let after = from;
  do {
    const { rows, next } = await store.find(table, index, value, { limit, ...(after && { after }) });
    yield* rows;
    after = next;
    if (after) await turn();
  } while (after);
}

/** Changes in one commit; what belongs to one person or application is nearly always fewer. */
export const COMMIT_SIZE = 500;

/** Makes changes that need not happen together, however many they are. */
export async function commitAll(store: Store, changes: readonly Change[]): Promise<void> {
  for (let at = 0; at < changes.length; at += COMMIT_SIZE) await store.commit(changes.slice(at, at + COMMIT_SIZE));
}
