import { TABLES, type TableName } from '../../records.ts';
import { ExpiryHeap } from './expiry-heap.ts';
import { Indexes } from './indexes.ts';
import { OpenedRows } from './opened-rows.ts';
import type { AnyRow } from './row.ts';
import { inBytes, type RowBytes, type RowHead } from './row-bytes.ts';
import { Rows } from './rows.ts';
import type { SpareBuffers } from './spare-buffers.ts';
import { TableIndex } from './table-index.ts';

const NOTHING = {};

/** The rows of one table, and what they are found by. */
export class Table {
  readonly rows: Rows;
  readonly #opened = new OpenedRows();
  readonly #indexes: ReadonlyMap<string, TableIndex>;
  readonly #declared: Indexes;
  /** For who lists the whole table: few do. */
  readonly #all: Indexes;
  readonly #expiry = new ExpiryHeap();

  constructor(name: TableName, spare: SpareBuffers) {
    this.rows = new Rows(spare);
    const declared = Object.entries(TABLES[name].indexes) as [string, (record: object) => string | undefined][];
    const indexes = declared.map(([index, of]) => [index, new TableIndex(of, this.rows)] as const);
    const all = new TableIndex(() => '', this.rows);
    this.#indexes = new Map([['all', all], ...indexes]);
    this.#declared = new Indexes(
      indexes.map(([, index]) => index),
      this.rows,
      (slot) => JSON.parse(this.rows.json(slot)),
    );
    this.#all = new Indexes([all], this.rows, () => NOTHING);
  }

  get(id: string): AnyRow | undefined {
    const opened = this.#opened.get(id);
    if (opened) return opened;
    const slot = this.rows.find(id);
    return slot < 0 ? undefined : this.#open(slot, id);
  }

  /** The row in a slot. */
  at(slot: number): AnyRow {
    const id = this.rows.id(slot);
    return this.#opened.get(id) ?? this.#open(slot, id);
  }

  /**
   * Puts a row in place of the one with its id. It is kept as JSON and opened when somebody asks for it: what is read is
   * what is read after a restart, to the last -0, and most rows are not read soon.
   */
  put(head: RowHead, record: object, json = JSON.stringify(record)): void {
    this.#keep(inBytes(head, json), () => record);
    this.#opened.delete(head.id);
  }

  /** The same, of one that was read back. */
  load(row: RowBytes): void {
    this.#opened.clear();
    this.#keep(row, () => JSON.parse(row.bytes.toString('utf8', row.json, row.jsonEnd)));
  }

  remove(id: string): void {
    const slot = this.rows.find(id);
    if (slot >= 0) this.#remove(slot, id);
  }

  /**
   * The index, when it knows every row.
   * @throws TypeError when there is no such index.
   */
  async index(name: string): Promise<TableIndex> {
    const index = this.#indexes.get(name);
    if (!index) throw new TypeError(`no such index: ${name}`);
    await (name === 'all' ? this.#all : this.#declared).ready();
    return index;
  }

  /** Makes every declared index before somebody has to wait for it. */
  listDeclared(goOn: () => boolean): Promise<void> {
    return this.#declared.make(goOn);
  }

  /** Removes rows that expired until `now`, for as long as `goOn` says; the number removed. */
  dropExpired(now: number, goOn: () => boolean): number {
    let removed = 0;
    while (this.#expiry.firstAt <= now && goOn()) {
      const slot = this.#expiry.shift();
      const expiresAt = slot === undefined ? undefined : this.rows.expiresAt(slot);
      if (slot === undefined || expiresAt === undefined) continue;
      if (expiresAt > now) this.#expiry.push(expiresAt, slot);
      else {
        this.#remove(slot, this.rows.id(slot));
        removed += 1;
      }
    }
    return removed;
  }

  /** Whether rows may have expired until `now` that are still here. */
  hasExpired(now: number): boolean {
    return this.#expiry.firstAt <= now;
  }

  #open(slot: number, id: string): AnyRow {
    const row = this.rows.open(slot, id);
    this.#opened.set(row);
    return row;
  }

  #keep(row: RowBytes, record: () => object): void {
    const slot = this.rows.put(row);
    this.#declared.put(slot, record);
    this.#all.put(slot, record);
    if (row.expiresAt !== undefined) this.#expiry.push(row.expiresAt, slot);
  }

  #remove(slot: number, id: string): void {
    this.#declared.remove(slot);
    this.#all.remove(slot);
    this.rows.remove(slot);
    this.#opened.delete(id);
  }
}
