import { type Clock, type Duration, type Logger, minutes } from '../../lib/index.ts';
import { knownTable, prepare } from '../changes.ts';
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
import { inTime } from '../patience.ts';
import { type IndexName, TABLE_NAMES, TABLES, type TableName, type Tables } from '../records.ts';
import type { Batches } from '../whole.ts';
import { Cache } from './cache.ts';
import type { Clocks } from './clocks.ts';
import { Commits } from './commits.ts';
import type { Connections } from './connections.ts';
import { unavailable } from './errors.ts';
import { columnOf, isStorable, keyOf } from './keys.ts';
import { Notifications } from './notifications.ts';
import { type AnyRow, Reads } from './reads.ts';
import { Refusals } from './refusals.ts';
import { beginReading, readThrough } from './rows.ts';
import { statistics } from './statistics.ts';
import { isWatched, WATCHED, type WatchedTable } from './watched.ts';

const LARGEST_PAGE = 1000;
const SWEPT_AT_ONCE = 1000;
/** They have no index, so each step looks for them from the beginning: few and large ones. */
const COMMITS_AT_ONCE = 50_000;
/** Longer than anybody asks about a commit whose answer was lost. One that was forbidden may arrive later: it stays so for an hour. */
const COMMITS_KEPT = minutes(1);

interface PostgresStoreParts {
  readonly connections: Connections;
  readonly clocks: Clocks;
  readonly now: Clock;
  readonly log: Logger;
  readonly onCommit: ((seconds: number) => void) | undefined;
}

/** The PostgreSQL engine. */
export class PostgresStore implements Store {
  /** The clock that decides what has expired: this process's own, so keep the machines' clocks together (NTP). */
  readonly now: Clock;
  readonly #connections: Connections;
  readonly #log: Logger;
  readonly #reads: Reads;
  readonly #commits: Commits;
  readonly #refusals: Refusals;
  readonly #cache = new Cache();
  readonly #notifications: Notifications;
  readonly #onCommit: PostgresStoreParts['onCommit'];
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #listeners = new Set<(table: WatchedTable) => void>();
  #committed = 0;
  #closing: Promise<void> | undefined;

  constructor(parts: PostgresStoreParts) {
    this.now = parts.now;
    this.#connections = parts.connections;
    this.#log = parts.log;
    this.#onCommit = parts.onCommit;
    this.#reads = new Reads(parts);
    this.#commits = new Commits(parts);
    this.#refusals = new Refusals(parts.connections);
    this.#notifications = new Notifications({
      connect: (within) => parts.connections.single(within),
      clocks: parts.clocks,
      log: parts.log,
      changed: (table) => this.#changed(table),
      listening: () => {
        this.#cache.on();
        // Whatever changed while nobody heard of it.
        for (const table of WATCHED) this.#changed(table);
      },
      deaf: () => this.#cache.off(),
    });
  }

  /** Begins to hear of what other processes change. */
  async follow(): Promise<void> {
    await this.#notifications.start();
  }

  /** Calls back after a watched table changed, whoever changed it; also when changes may have been missed. */
  onChange(listener: (table: WatchedTable) => void): void {
    this.#listeners.add(listener);
  }

  async get<T extends TableName>(table: T, id: string): Promise<Row<Tables[T]> | undefined> {
    this.#mustBeOpen();
    return this.#live(await this.#read(knownTable(table), id)) as Row<Tables[T]> | undefined;
  }

  /** Of what is not watched only the database knows. */
  unchanged(seen: readonly SeenRow[]): boolean | undefined {
    this.#mustBeOpen();
    for (const { table, id, version } of seen) {
      const known = isWatched(table) ? this.#cache.get(table, id) : undefined;
      if (!known) return undefined;
      if (this.#live(known === 'absent' ? undefined : known)?.version !== version) return false;
    }
    return true;
  }

  async find<T extends TableName>(
    table: T,
    index: IndexName<T>,
    value: string,
    { after = '', limit = 100 }: Page = {},
  ): Promise<Found<Tables[T]>> {
    this.#mustBeOpen();
    if (!Number.isInteger(limit) || limit < 1) throw new TypeError('a page has at least one row');
    const { indexes } = TABLES[knownTable(table)];
    if (index !== 'all' && !Object.hasOwn(indexes, index)) throw new TypeError(`no such index: ${String(index)}`);
    if (index === 'all' && value !== '') return { rows: [] };
    const key = index === 'all' ? undefined : { column: columnOf(String(index)), value: keyOf(value) };
    // No id holds a NUL, so what follows such a text is what follows its beginning.
    const from = after.toWellFormed().split('\0', 1)[0]!;
    const most = Math.min(limit, LARGEST_PAGE);
    const found = await this.#call(() => this.#reads.find(table, key, from, most + 1));
    const rows = found.slice(0, most) as unknown as Row<Tables[T]>[];
    return found.length > most ? { rows, next: rows.at(-1)!.id } : { rows };
  }

  async commit(changes: readonly Change[]): Promise<void> {
    const startedAt = performance.now();
    this.#mustBeOpen();
    const prepared = prepare(changes);
    if (prepared.length === 0) return;
    if (this.#refusals.silent) await this.#call(() => this.#refusals.mayCommit());
    const watched = new Set(prepared.map(({ table }) => table).filter(isWatched));
    const drop = (): void => {
      for (const table of watched) this.#cache.drop(table);
    };
    // Before, so that nothing read meanwhile is kept; after, so that what we wrote is what we read.
    drop();
    try {
      await this.#call((left) => this.#commits.write(prepared, left));
      this.#refusals.heard(undefined);
    } catch (error) {
      this.#refusals.heard(error);
      // Somebody was first whom we have not heard of yet.
      if (error instanceof StoreConflict && isWatched(error.table)) this.#cache.drop(error.table);
      throw error;
    } finally {
      drop();
    }
    this.#committed += 1;
    this.#onCommit?.((performance.now() - startedAt) / 1000);
  }

  async sweep(now: number): Promise<number> {
    this.#mustBeOpen();
    return await this.#track(this.#sweep(now));
  }

  /** Every row that is live now, read in one snapshot of the database. @throws StoreUnavailable */
  async *rows(): Batches {
    this.#mustBeOpen();
    const { step } = this.#connections.limits;
    const client = this.#connections.single(step);
    client.on('error', () => {});
    try {
      await client.connect();
      await beginReading(client, step);
      for await (const batch of readThrough(client, this.now(), step)) {
        this.#mustBeOpen();
        yield batch;
      }
    } catch (error) {
      throw unavailable(error);
    } finally {
      await client.end().catch(() => {});
    }
  }

  async stats(): Promise<StoreStats> {
    this.#mustBeOpen();
    const { fault, ...kept } = await this.#call(async () => {
      const { readOnly, ...counted } = await statistics(this.#connections);
      return { ...counted, fault: readOnly ? 'read-only' : await this.#refusals.now() };
    });
    return {
      engine: 'postgres',
      commits: this.#committed,
      ...kept,
      writable: fault === undefined,
      ...(fault !== undefined && { fault }),
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #live(row: AnyRow | undefined): AnyRow | undefined {
    return row && (row.expiresAt === undefined || row.expiresAt > this.now()) ? row : undefined;
  }

  async #read(table: TableName, id: string): Promise<AnyRow | undefined> {
    if (!isStorable(id)) return undefined;
    if (!isWatched(table)) return await this.#call(() => this.#reads.get(table, id));
    const known = this.#cache.get(table, id);
    if (known) return known === 'absent' ? undefined : known;
    const { age } = this.#cache;
    const row = await this.#call(() => this.#reads.get(table, id));
    this.#cache.keep(table, id, row, age);
    return row;
  }

  #changed(table: WatchedTable): void {
    this.#cache.drop(table);
    for (const listener of this.#listeners) listener(table);
  }

  async #sweep(now: number): Promise<number> {
    let removed = 0;
    for (const table of TABLE_NAMES) {
      // What somebody works on is left for the next time: a sweep waits for nobody.
      removed += await this.#inSteps(
        SWEPT_AT_ONCE,
        `DELETE FROM postern.${table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM postern.${table}
           WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))`,
        now,
      );
    }
    // In steps too: what one statement had no time for would be more at the next sweep, and never go. Nobody works on these.
    await this.#inSteps(
      COMMITS_AT_ONCE,
      `DELETE FROM postern.commits WHERE ctid = ANY(ARRAY(SELECT ctid FROM postern.commits
         WHERE at < now() - $1 * interval '1 ms' AND (happened OR at < now() - interval '1 hour') LIMIT $2))`,
      COMMITS_KEPT,
    );
    return removed;
  }

  /** Removes `most` rows at a time until there are fewer, or the store closes; how many. */
  async #inSteps(most: number, text: string, until: number): Promise<number> {
    let removed = 0;
    for (let step = most; step === most && !this.#closing; removed += step)
      step = await this.#statement(text, [until, most]);
    return removed;
  }

  async #statement(text: string, values: unknown[]): Promise<number> {
    try {
      return (await this.#connections.run({ text, values }, this.#connections.deadline())).rowCount ?? 0;
    } catch (error) {
      throw unavailable(error);
    }
  }

  /** One that somebody waits for. */
  #call<R>(work: (left: Duration) => Promise<R>): Promise<R> {
    return this.#track(inTime(this.#connections.limits.call, work));
  }

  async #track<R>(work: Promise<R>): Promise<R> {
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  #mustBeOpen(): void {
    if (this.#closing) throw new StoreUnavailable('the store is closed');
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#underWay]);
    try {
      await this.#notifications.close();
      await this.#connections.close();
    } catch (error) {
      this.#log.error({ err: error }, 'the store could not be closed in order');
    }
  }
}
