import { sha256 } from '../../lib/index.ts';
import { indexValue, TABLES, type TableName } from '../records.ts';

/** PostgreSQL indexes at most 2,704 bytes of a key; UTF-8 may need three for a character. */
const LONGEST = 800;

/** Whether text can stand in a column as it is. */
export const isStorable = (text: unknown): text is string =>
  typeof text === 'string' && text.length <= LONGEST && text.isWellFormed() && !text.includes('\0');

/** What stands in an index's column for a value: itself, or a digest where the column could not hold it. */
export const keyOf = (value: string): string =>
  isStorable(value) && !value.startsWith('#') ? value : `#${sha256(JSON.stringify(value))}`;

/** `accountId` → `account_id`. */
export const columnOf = (index: string): string => index.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The values a record is found by, by column; undefined where its table has no index. */
export function keysOf(table: TableName, record: object): Record<string, string> | undefined {
  const names = Object.keys(TABLES[table].indexes);
  if (names.length === 0) return undefined;
  const keys: Record<string, string> = {};
  for (const name of names) {
    const value = indexValue(table, name, record);
    if (value !== undefined) keys[columnOf(name)] = keyOf(value);
  }
  return keys;
}
