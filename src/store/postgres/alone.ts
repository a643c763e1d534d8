import type { Clock, Logger } from '../../lib/index.ts';
import { type Mark, type MarkName, TABLE_NAMES, type TableName } from '../records.ts';
import type { Tally } from '../tally.ts';
import { type AloneStore, type Batches, outcomeUnknown } from '../whole.ts';
import type { Client } from './client.ts';
import { Clocks } from './clocks.ts';
import { type Connections, LIMITS, type Limits } from './connections.ts';
import { isAnswered, refused } from './errors.ts';
import { fill } from './fill.ts';
import { connect, ready } from './open.ts';
import { stillAlone, takeAlone } from './others.ts';
import { readThrough, withoutLimits } from './rows.ts';
import { mustKeepItsSession } from './session.ts';
import { WATCHED } from './watched.ts';

interface Options {
  readonly url: string;
  /** What named the URL, for words. */
  readonly named: string;
  readonly now: Clock;
  readonly log: Logger;
  /** There must be a store in the database; otherwise an empty one is made where there is none. */
  readonly mustExist: boolean;
  readonly limits?: Limits;
}

/**
 * Takes the store in a database for this process alone, to carry it away or to fill it. Whoever starts meanwhile is refused.
 * @throws DatabaseRefused `store_in_use` naming who else is connected, and as opening it for use does
 */
export async function openDatabaseAlone(options: Options): Promise<AloneDatabase> {
  const { url, named, now, log, mustExist, limits = LIMITS } = options;
  const connections = connect({ url, named, limits, log });
  const single = () => connections.single(limits.longest);
  const client = single();
  client.on('error', () => {});
  const alone = new AloneDatabase(connections, client, now);
  try {
    await client.connect();
    await mustKeepItsSession(client, single);
    await ready(client, { clocks: new Clocks({ now, log }), log, mustExist, most: 1 });
    await takeAlone(client);
    return alone;
  } catch (error) {
    await alone.release();
    throw refused(error, connections.target);
  }
}

class AloneDatabase implements AloneStore {
  readonly name: string;
  readonly now: Clock;
  readonly #connections: Connections;
  readonly #client: Client;
  #locked = false;

  constructor(connections: Connections, client: Client, now: Clock) {
    const { host, port, database } = connections.target;
    this.name = `the database ${database} at ${host}:${port}`;
    this.now = now;
    this.#connections = connections;
    this.#client = client;
  }

  mark(name: MarkName): Promise<Mark | undefined> {
    return this.#locking(async () => {
      const { rows } = await this.#client.query<{ record: string }>('SELECT record FROM postern.marks WHERE id = $1', [
        name,
      ]);
      return rows[0] && (JSON.parse(rows[0].record) as Mark);
    });
  }

  counts(): Promise<Record<TableName, number>> {
    return this.#locking(async () => {
      const counts = TABLE_NAMES.map((table) => `(SELECT count(*)::float8 FROM postern.${table}) AS ${table}`);
      const { rows } = await this.#client.query<Record<TableName, number>>(`SELECT ${counts.join(', ')}`);
      return rows[0]!;
    });
  }

  lookup(table: TableName, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#locking(async () => {
      const { rows } = await this.#client.query<{ id: string; record: string }>(
        `SELECT id, record FROM postern.${table} WHERE id = ANY($1) AND (expires_at IS NULL OR expires_at > $2)`,
        [ids, this.now()],
      );
      return new Map(rows.map(({ id, record }) => [id, record]));
    });
  }

  async *rows(): Batches {
    try {
      await this.#lock();
      yield* readThrough(this.#client, this.now(), this.#connections.limits.step);
    } catch (error) {
      throw this.#inWords(error);
    }
  }

  async replaceAll(rows: Batches): Promise<Tally> {
    const tally = await this.#locking(async () => {
      const written = await fill(this.#client, rows, this.#connections.limits.step);
      await this.#client.query('SELECT pg_notify($1, $2)', ['postern', WATCHED.join(' ')]);
      return written;
    });
    await this.#commit();
    // What the planner knows of an empty table would make the first reads slow.
    for (const table of TABLE_NAMES) await this.#client.query(`ANALYZE postern.${table}`).catch(() => {});
    return tally;
  }

  async setMark(name: MarkName, mark: Mark | undefined): Promise<void> {
    await this.#locking(async () => {
      await this.#client.query('DELETE FROM postern.marks WHERE id = $1', [name]);
      if (!mark) return;
      await this.#client.query(
        `INSERT INTO postern.marks (id, version, record) VALUES ($1, nextval('postern.versions'), $2)`,
        [name, JSON.stringify(mark)],
      );
      if (name === 'moved') await this.#client.query(REFUSE_COMMITS);
    });
    await this.#commit();
  }

  async release(): Promise<void> {
    await this.#client.end().catch(() => {});
    await this.#connections.close();
  }

  /** One transaction for all that is read and written until the next commit; nobody else reads or writes during it. */
  async #lock(): Promise<void> {
    if (this.#locked) return;
    await this.#client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
    this.#locked = true;
    await this.#client.query(withoutLimits(true));
    await this.#client.query(`SET LOCAL lock_timeout = '5s'`);
    await this.#client.query(
      `LOCK TABLE postern.migrations, postern.commits, ${TABLE_NAMES.map((table) => `postern.${table}`).join(', ')} IN ACCESS EXCLUSIVE MODE`,
    );
    await stillAlone(this.#client);
  }

  async #locking<R>(work: () => Promise<R>): Promise<R> {
    try {
      await this.#lock();
      return await work();
    } catch (error) {
      throw this.#inWords(error);
    }
  }

  async #commit(): Promise<void> {
    try {
      await stillAlone(this.#client);
      await this.#client.query(`SELECT set_config('synchronous_commit', 'on', true)
        WHERE current_setting('synchronous_commit') = 'off'`);
    } catch (error) {
      throw this.#inWords(error);
    }
    this.#locked = false;
    try {
      await this.#client.query('COMMIT');
    } catch (cause) {
      if (isAnswered(cause)) throw this.#inWords(cause);
      throw outcomeUnknown(this.name, cause);
    }
  }

  #inWords(error: unknown): unknown {
    return refused(error, this.#connections.target);
  }
}

/** A process that came through all the same, having been out of reach: what it writes would be lost. */
const REFUSE_COMMITS = `
  CREATE OR REPLACE FUNCTION postern.commit(
    commit_id text, relaxed boolean, clock double precision, changed text, changes json
  ) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    RAISE EXCEPTION 'the store was moved' USING ERRCODE = '25006';
  END
  $$`;
