import type { IndexName, Row, Store, TableName, Tables } from '../store/index.ts';

/** Every live row of an index, page by page, in the order of their ids. */
export async function* every<T extends TableName>(
  store: Store,
  table: T,
  index: IndexName<T>,
  value: string,
): AsyncGenerator<Row<Tables[T]>> {
  let after: string | undefined;
  do {
    const { rows, next } = await store.find(table, index, value, { limit: 500, ...(after && { after }) });
    yield* rows;
    after = next;
  } while (after);
}
