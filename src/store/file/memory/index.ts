/**
 * store/file/memory: everything the store knows, for as long as the process lives. It touches no disk and knows no
 * durability: it is filled from the files, changed in one synchronous step, and walked through while it changes.
 *
 * A table's rows are bytes outside of the heap (rows → shelves), found by flat arrays (slot-table, table-index, expiry-heap)
 * that know them by slot, a small number each has for as long as it is there. Those that are in use are objects as well
 * (opened-rows). docs/decisions/0019-rows-outside-of-the-heap.md has the reasons.
 */
export { Database, type Replaced } from './database.ts';
export type { Loaded } from './loaded.ts';
export { pageOf } from './page.ts';
export { inBytes, type RowBytes } from './row-bytes.ts';
export type { Rows } from './rows.ts';
export { Scan } from './scan.ts';
export { SpareBuffers } from './spare-buffers.ts';
