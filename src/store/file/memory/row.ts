import type { Row } from '../../contract.ts';

/** A row of any table: the engine never looks inside a record, except through the table's indexes. */
export type AnyRow = Row<object>;

export const isLive = ({ expiresAt }: { readonly expiresAt?: number | undefined }, now: number): boolean =>
  expiresAt === undefined || expiresAt > now;

/** A row of a record that is already frozen. */
export function newRow(id: string, version: number, expiresAt: number | undefined, record: object): AnyRow {
  return Object.freeze(expiresAt === undefined ? { id, version, record } : { id, version, expiresAt, record });
}
