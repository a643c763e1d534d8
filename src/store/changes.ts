import type { Change, Expectation } from './contract.ts';
import { TABLES, type TableName } from './records.ts';

/** What a commit does to one row. */
export interface RowChange {
  readonly table: TableName;
  readonly id: string;
  /** The caller's own: to be looked at in this turn, never kept. Absent when the row is removed. */
  readonly record?: object;
  /** The record as JSON, where it was written already. */
  readonly json?: string;
  readonly expiresAt?: number;
}

/** A change that was checked: it is what a restart would read back. */
export interface PreparedChange extends RowChange {
  readonly expect?: Expectation;
  /** The change as JSON, the expectation left out: what is written down did happen. */
  readonly text: string;
}

/** PostgreSQL indexes at most 2,704 bytes of a key; UTF-8 may need three for a character. */
const LONGEST_ID = 800;
const DEEPEST = 64;

/**
 * Checks the changes of one commit.
 * @throws TypeError on an unknown table, a bad id or time, a record that is not plain JSON or is found by what is no text,
 * two changes of one row.
 */
export function prepare(changes: readonly Change[]): PreparedChange[] {
  if (!Array.isArray(changes)) throw new TypeError('a commit is a list of changes');
  const prepared = changes.map(prepareOne);
  if (hasTwice(prepared, ({ id }) => id) && hasTwice(prepared, ({ table, id }) => `${table}/${id}`))
    throw new TypeError('two changes of the same row in one commit');
  return prepared;
}

const hasTwice = (changes: readonly PreparedChange[], name: (change: PreparedChange) => string): boolean =>
  new Set(changes.map(name)).size < changes.length;

function prepareOne(change: Change): PreparedChange {
  const { id, expect } = change;
  checkId(id);
  if ('remove' in change) {
    const table = knownTable(change.remove);
    if (expect !== undefined && !Number.isSafeInteger(expect)) throw new TypeError(`bad expectation on ${table}`);
    const text = `{"remove":"${table}","id":${JSON.stringify(id)}}`;
    return expect === undefined ? { table, id, text } : { table, id, text, expect };
  }
  const table = knownTable(change.put);
  const { expiresAt } = change;
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) throw new TypeError(`bad expiresAt on ${table}`);
  if (expect !== undefined && expect !== 'absent' && !Number.isSafeInteger(expect)) {
    throw new TypeError(`bad expectation on ${table}`);
  }
  if (!isPlain(change.record)) throw new TypeError(`a record of ${table} must be an object`);
  checkJson(change.record, table, 0);
  checkIndexed(change.record, table);
  const json = JSON.stringify(change.record);
  const expiry = expiresAt === undefined ? '' : `,"expiresAt":${expiresAt}`;
  return {
    table,
    id,
    record: change.record,
    json,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(expect === undefined ? {} : { expect }),
    text: `{"put":"${table}","id":${JSON.stringify(id)}${expiry},"record":${json}}`,
  };
}

/** @throws TypeError when there is no such table. */
export function knownTable(name: unknown): TableName {
  if (typeof name !== 'string' || !Object.hasOwn(TABLES, name)) throw new TypeError(`no such table: ${String(name)}`);
  return name as TableName;
}

function checkId(id: unknown): void {
  const good = typeof id === 'string' && id.length > 0 && id.length <= LONGEST_ID;
  if (!good || !id.isWellFormed() || id.includes('\0')) {
    throw new TypeError(`an id must be text of 1 to ${LONGEST_ID} characters`);
  }
}

/** Properties that are undefined are left out, as JSON does; everything else must survive JSON unchanged. */
function checkJson(value: unknown, table: string, depth: number): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return;
  const isList = Array.isArray(value);
  if (depth > DEEPEST || !(isList || isPlain(value))) throw new TypeError(`a record of ${table} is not plain JSON`);
  for (const inner of isList ? value : Object.values(value))
    if (inner !== undefined || isList) checkJson(inner, table, depth + 1);
}

const INDEXED = Object.fromEntries(
  Object.entries(TABLES).map(([table, { indexes }]) => [table, Object.values(indexes)]),
) as unknown as Readonly<Record<TableName, readonly ((record: object) => unknown)[]>>;

/** What a row is found by is text. */
function checkIndexed(record: object, table: TableName): void {
  for (const of of INDEXED[table]) {
    const value = of(record);
    if (value !== undefined && typeof value !== 'string')
      throw new TypeError(`a record of ${table} is found by no text`);
  }
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
