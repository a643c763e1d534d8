import { knownTable } from '../changes.ts';
import type { Row } from '../contract.ts';
import type { TableName } from '../records.ts';
import { StoreRefused } from './errors.ts';

/** A row of any table: the engine never looks inside a record, except through the table's indexes. */
export type AnyRow = Row<object>;

export const isLive = ({ expiresAt }: { readonly expiresAt?: number | undefined }, now: number): boolean =>
  expiresAt === undefined || expiresAt > now;

/** A row of a record that is already frozen. */
export function newRow(id: string, version: number, expiresAt: number | undefined, record: object): AnyRow {
  return Object.freeze(expiresAt === undefined ? { id, version, record } : { id, version, expiresAt, record });
}

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
