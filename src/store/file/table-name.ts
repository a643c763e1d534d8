import { knownTable } from '../changes.ts';
import type { TableName } from '../records.ts';
import { StoreRefused } from './errors.ts';

/** @throws StoreRefused: the checksum was right, so it is no damage but a table we do not know. */
export function tableOf(name: string): TableName {
  try {
    return knownTable(name);
  } catch (cause) {
    throw new StoreRefused('store_format', `the store has a table ${name} that this version of Postern does not know`, {
      cause,
    });
  }
}
