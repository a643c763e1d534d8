import type { Low } from 'lowdb';
import type { Clock, Logger } from '../../lib/index.ts';
import { knownTable, type PreparedChange, prepare } from '../changes.ts';
import {
  type Change,
  type Found,
  type Page,
  type Row,
  type SeenRow,
  type Store,
  StoreConflict,
  type StoreStats,
  StoreUnavailable,
} from '../contract.ts';
import { type IndexName, TABLES, type TableName, type Tables } from '../records.ts';
import type { Batches } from '../whole.ts';
import type { JournalAdapter } from './adapter.ts';
import type { Undurable } from './journal-entry.ts';
import type { Lock } from './lock.ts';
import { type CompactionLimits, Maintenance } from './maintenance.ts';
import { type Database, pageOf, type Replaced, Scan } from './memory/index.ts';
import { UnderWay } from './under-way.ts';

const LARGEST_PAGE = 1000;
const SLICE_MS = 3;

interface FileStoreParts {
  readonly low: Low<Database>;
  readonly adapter: JournalAdapter;
  readonly lock: Lock;
  readonly now: Clock;
  readonly log: Logger;
  readonly limits: CompactionLimits;
  /** Bytes on the disk. */
  readonly bytes: () => Promise<number>;
  readonly onCommit: ((seconds: number) => void) | undefined;
}

/**
 * The file engine: every question is answered from memory, every change is decided in memory in one synchronous step,
 * and acknowledged when the journal has it. Nobody is shown a change before that.
 */
export class FileStore implements Store {
  /** The clock that decides what has expired. */
  readonly now: Clock;
  /** The latest moment the files spoke of when they were opened. */
  readonly lastWrittenAt: number;
  /** Resolves when what a start leaves for later is done: indexes made, older files checked. Nothing needs to wait for it. */
  readonly settled: Promise<void>;
  readonly #low: Low<Database>;
  readonly #adapter: JournalAdapter;
  readonly #lock: Lock;
  readonly #log: Logger;
  readonly #maintenance: Maintenance;
  readonly #bytes: () => Promise<number>;
  readonly #onCommit: FileStoreParts['onCommit'];
  readonly #underWay = new UnderWay();
  #commits = 0;
  #closing: Promise<void> | undefined;

  constructor(parts: FileStoreParts) {
    this.now = parts.now;
    this.lastWrittenAt = parts.adapter.lastWrittenAt;
    this.#low = parts.low;
    this.#adapter = parts.adapter;
    this.#lock = parts.lock;
    this.#log = parts.log;
    this.#maintenance = new Maintenance(parts);
    this.#bytes = parts.bytes;
    this.#onCommit = parts.onCommit;
    this.settled = this.#settle();
  }

  async get<T extends TableName>(table: T, id: string): Promise<Row<Tables[T]> | undefined> {
    this.#mustBeOpen();
    const row = this.#low.data.live(knownTable(table), id, this.now()) as Row<Tables[T]> | undefined;
    const underWay = this.#underWay.ofRow(table, id);
    return underWay
      ? underWay.then(
          () => row,
          () => this.get(table, id),
        )
      : row;
  }

  async find<T extends TableName>(
    table: T,
    index: IndexName<T>,
    value: string,
    page: Page = {},
  ): Promise<Found<Tables[T]>> {
    this.#mustBeOpen();
    const { after, limit = 100 } = page;
    if (!Number.isInteger(limit) || limit < 1) throw new TypeError('a page has at least one row');
    const kept = this.#low.data.table(knownTable(table));
    const listed = await kept.index(String(index));
    const most = Math.min(limit, LARGEST_PAGE);
    const found = pageOf(kept, listed, { value, after, most, now: this.now() }) as Found<Tables[T]>;
    const underWay = this.#underWay.ofTable(table);
    if (!underWay) return found;
    return underWay.then(
      () => found,
      () => this.find(table, index, value, page),
    );
  }

  unchanged(seen: readonly SeenRow[]): boolean | undefined {
    this.#mustBeOpen();
    const now = this.now();
    for (const { table, id, version } of seen) {
      if (this.#underWay.ofRow(table, id)) return undefined;
      if (this.#low.data.live(table, id, now)?.version !== version) return false;
    }
    return true;
  }

  async commit(changes: readonly Change[]): Promise<void> {
    const startedAt = performance.now();
    this.#mustBeOpen();
    const prepared = prepare(changes);
    const { failure } = this.#adapter.journal;
    if (failure) throw new StoreUnavailable(`the store cannot write: ${failure.message}`, { cause: failure });
    if (prepared.length === 0) return;
    const at = this.now();
    // From the first expectation to the append nothing else runs: this is what makes "once" true.
    const lost = prepared.find((change) => !this.#isExpected(change, at));
    if (lost) return this.#conflict(lost);
    const sequence = this.#low.data.sequence + 1;
    const replaced = this.#low.data.apply(prepared, sequence);
    const strict = prepared.some(({ table }) => TABLES[table].durability === 'strict');
    // Put together as it is written, once: text that is joined now is copied now.
    const text = prepared.slice(1).reduce((all, change) => `${all},${change.text}`, prepared[0]!.text);
    const acknowledged = this.#adapter.journal.append({ sequence, at, text, strict, replaced });
    this.#underWay.add(prepared, acknowledged);
    await acknowledged;
    this.#commits += 1;
    this.#adapter.wrote(prepared.length);
    this.#maintenance.consider();
    this.#onCommit?.((performance.now() - startedAt) / 1000);
  }

  async sweep(now: number): Promise<number> {
    this.#mustBeOpen();
    let removed = 0;
    for (let done = false; !done; ) {
      const until = performance.now() + SLICE_MS;
      const slice = this.#low.data.dropExpired(now, () => performance.now() < until);
      removed += slice.removed;
      done = slice.done;
      if (!done) await new Promise(setImmediate);
    }
    // Not written row by row: a start drops what has expired. But the time is, so that no start can be earlier.
    if (removed > 0) this.#adapter.journal.mark();
    this.#maintenance.consider();
    return removed;
  }

  async stats(): Promise<StoreStats> {
    this.#mustBeOpen();
    const writable = this.#adapter.journal.failure === undefined;
    const rows = [...this.#low.data.tables()].map(([name, table]) => [name, table.rows.size]);
    return {
      engine: 'file',
      rows: Object.fromEntries(rows) as StoreStats['rows'],
      bytes: await this.#bytes(),
      commits: this.#commits,
      writable,
      ...(!writable && { fault: 'read-only: a write failed' }),
    };
  }

  /** Every row that is live now, while commits go on. @throws StoreUnavailable when the store is closed meanwhile */
  async *rows(): Batches {
    this.#mustBeOpen();
    const scan = new Scan(this.#low.data, this.now());
    try {
      // What is in memory may not be acknowledged yet. After a failure it is what was acknowledged.
      if (!this.#adapter.journal.failure) await this.#adapter.journal.durable(scan.cut);
      for await (const batch of scan.batches()) {
        this.#mustBeOpen();
        yield batch;
      }
    } finally {
      scan.end();
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Writes a new snapshot now and drops what is no longer needed. */
  async compact(): Promise<void> {
    this.#mustBeOpen();
    await this.#maintenance.compact();
  }

  /**
   * Takes back what will never be acknowledged, newest first, so that memory is what callers were told. Relaxed commits
   * that were acknowledged stay, and keep the rows they touched.
   */
  writingFailed(error: Error, undurable: readonly Undurable[]): void {
    const kept = new Set<string>();
    const key = ({ table, id }: Replaced) => `${table}/${id}`;
    for (const { acknowledged, replaced } of undurable.toReversed()) {
      for (const one of replaced) {
        if (acknowledged) kept.add(key(one));
        else if (!kept.has(key(one))) this.#low.data.restore(one);
      }
    }
    this.#log.error(
      { err: error, refused: undurable.length },
      'the store cannot write: it only answers reads until it can again',
    );
    this.#maintenance.heal();
  }

  #isExpected({ table, id, expect }: PreparedChange, now: number): boolean {
    return expect === undefined || expect === (this.#low.data.live(table, id, now)?.version ?? 'absent');
  }

  /** @throws StoreConflict once whoever was first has won for good; StoreUnavailable where it has not */
  async #conflict({ table, id }: PreparedChange): Promise<never> {
    await this.#underWay.ofRow(table, id);
    throw new StoreConflict(table, id);
  }

  async #settle(): Promise<void> {
    try {
      // Whoever asks sooner has his index made first.
      for (const [, table] of this.#low.data.tables()) await table.listDeclared(() => this.#closing === undefined);
      // With every new snapshot the oldest files go: two, and nothing damaged is left.
      const intact = await this.#adapter.olderFilesAreIntact();
      if (!intact || this.#adapter.worn) await this.compact();
    } catch (error) {
      if (!this.#closing) this.#log.error({ err: error }, 'the older files of the store could not be checked');
    }
  }

  #mustBeOpen(): void {
    if (this.#closing) throw new StoreUnavailable('the store is closed');
  }

  async #close(): Promise<void> {
    try {
      this.#adapter.stop();
      await this.settled;
      await this.#maintenance.close();
      await this.#adapter.close();
    } catch (error) {
      this.#log.error({ err: error }, 'the store could not be closed in order');
    } finally {
      await this.#lock.release();
    }
  }
}
