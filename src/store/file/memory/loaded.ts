import type { TableName } from '../../records.ts';
import type { RowBytes } from './row-bytes.ts';

/** What a commit did to one row, read back. A row is only good until the next line is read. */
export type Loaded =
  | { readonly table: TableName; readonly row: RowBytes; readonly removed?: never }
  | { readonly table: TableName; readonly row?: never; readonly removed: string };
