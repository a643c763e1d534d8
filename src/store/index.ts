/**
 * store: what must outlive the process: the records, the contract, and the engines that keep it.
 *
 * It owns durability, atomicity and single use. It knows no rule of the domain and no protocol: a record is data here.
 * Rooms above reach it only through {@link Store}; which engine answers is decided once, in open.ts.
 */
export { aside } from './aside.ts';
export * from './contract.ts';
export { Patience } from './patience.ts';
export * from './records.ts';
export { Tally, tallied } from './tally.ts';
export * from './unit-of-work.ts';
export type { AloneStore, Batch, Batches, StoredRow } from './whole.ts';
