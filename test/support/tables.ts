import { type Store, TABLE_NAMES, type TableName } from '../../src/store/index.ts';

/** What refusing may write: why, how often, and what was begun. */
const REFUSING: readonly TableName[] = ['refusals', 'guesses', 'interactions', 'seen'];

/** Every row of the store but what refusing a request may leave, as one text. */
export async function kept(store: Store, but: readonly TableName[] = []): Promise<string> {
  const lines: string[] = [];
  for (const table of TABLE_NAMES) {
    if (REFUSING.includes(table) || but.includes(table)) continue;
    for (let after: string | undefined, more = true; more; ) {
      const { rows, next } = await store.find(table, 'all', '', { limit: 1000, ...(after && { after }) });
      for (const row of rows) lines.push(`${table} ${JSON.stringify(row)}`);
      after = next;
      more = next !== undefined;
    }
  }
  return lines.join('\n');
}

const EXPIRES = /"expiresAt":(\d+)/;

/**
 * What became of rows between two times {@link kept}, but for those whose time was over meanwhile: or is in a moment, since the
 * server's clock need not be this one to the millisecond.
 */
export function changed(before: string, after: string, now = Date.now() + 1000): string[] {
  const [was, is] = [new Set(before.split('\n')), new Set(after.split('\n'))];
  const over = (line: string): boolean => Number(EXPIRES.exec(line)?.[1] ?? Number.POSITIVE_INFINITY) <= now;
  return [...is.difference(was), ...[...was.difference(is)].filter((line) => !over(line))];
}
