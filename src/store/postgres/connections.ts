import pg from 'pg';
import { type Duration, type Logger, minutes, seconds } from '../../lib/index.ts';
import { Client } from './client.ts';
import { codeOf, isReadOnly, NO_ROOM, NotConnected, spoilsConnection, type Target, wasAnswered } from './errors.ts';

/** How long anything may take. Together they keep every call of the store under {@link Limits.call}. */
export interface Limits {
  /** A whole call of the store, attempts and questions included. */
  readonly call: Duration;
  /** Until a new connection stands. */
  readonly connect: Duration;
  /** Until one of the connections is free. */
  readonly free: Duration;
  /** One statement: the database gives up first, and we a little later where it does not answer. */
  readonly statement: Duration;
  /** One step of reading everything, a thousand rows: however slow its disk is, a database that lives has said something. */
  readonly step: Duration;
  /** One statement of a start; a migration takes its time. */
  readonly start: Duration;
  /** One statement that is about everything there is: counting it, putting it in place of what was there. */
  readonly longest: Duration;
  readonly connections: number;
}

export const LIMITS: Limits = {
  call: seconds(4),
  connect: seconds(2),
  free: seconds(3),
  statement: seconds(2),
  step: seconds(30),
  start: seconds(10),
  longest: minutes(10),
  connections: 10,
};

const ANSWER = seconds(0.2);
/** While the database is read-only every commit finds that out: all connections are made anew so often and no more. */
const ANEW_EVERY = seconds(1);

/** A database that had no room for another connection is not asked for one this long; those that are there go round. */
const CROWDED = seconds(5);
const TELL_EVERY: Duration = minutes(1);

/**
 * What each session is told first, and not as it connects: a pooler in between (PgBouncer) refuses settings that it does not
 * know. A commit relies on seeing what others committed once it has the row's lock, and a time is what it was, to the last
 * digit.
 */
const sessionOf = ({ statement }: Limits): string =>
  `SET default_transaction_isolation = 'read committed'; SET extra_float_digits = 1; SET statement_timeout = ${statement}; SET lock_timeout = 0`;

export interface ConnectionOptions {
  readonly url: string;
  /** What named the URL, for words; the setting unless it was something else. */
  readonly named?: string;
  readonly limits: Limits;
  readonly log: Logger;
}

/**
 * pg takes these modes for `verify-full` and says so in eight lines at every start and every command; a later one is to take
 * them for less. What the URL of a provider asks for stays the strictest, and is asked for by its name.
 */
const withPlainMode = (url: string): string =>
  /[?&]uselibpqcompat=/.test(url)
    ? url
    : url.replace(/([?&]sslmode=)(?:prefer|require|verify-ca)(?=&|$)/, '$1verify-full');

/** The connections of one process to its database. */
export class Connections {
  readonly target: Target;
  readonly #config: pg.ClientConfig;
  readonly limits: Limits;
  readonly #pool: pg.Pool;
  readonly #madeAt = new WeakMap<pg.ClientBase, number>();
  /** What was made before leads to a server, or a session, that turned out to be read-only. */
  #goodSince = 0;
  #crowdedUntil = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  readonly #log: Logger;

  constructor({ url, named = 'POSTERN_DATABASE_URL', limits, log }: ConnectionOptions) {
    this.limits = limits;
    this.#log = log;
    this.#config = {
      connectionString: withPlainMode(url),
      application_name: 'postern',
      connectionTimeoutMillis: limits.connect,
      keepAlive: true,
    };
    this.#pool = new pg.Pool({
      ...this.#config,
      // The pool has one setting for both.
      connectionTimeoutMillis: limits.free,
      Client: class extends Client {
        constructor(given?: pg.ClientConfig) {
          super({ ...given, connectionTimeoutMillis: limits.connect });
        }
      },
      max: limits.connections,
      onConnect: async (client) => void (await client.query(sessionOf(limits))),
      query_timeout: limits.statement + ANSWER,
    });
    // Also while it is in use and nobody waits for an answer; whoever asks next is told.
    this.#pool.on('connect', (client) => {
      client.on('error', () => {});
      this.#madeAt.set(client, performance.now());
    });
    this.#pool.on('error', (err) => log.warn({ err }, 'an idle connection to the database was lost'));
    const { host, port, database = '', user = '' } = new pg.Client(this.#config);
    this.target = { named, host, port, database, user };
  }

  /**
   * A connection outside the pool, not yet connected.
   * @param within how long each of its statements may take that says nothing else
   */
  single(within: Duration): Client {
    return new Client({ ...this.#config, query_timeout: within });
  }

  /** The moment by which a call that begins now must have ended. */
  deadline(): number {
    return performance.now() + this.limits.call;
  }

  /**
   * Runs one statement, which is its own transaction.
   * @throws NotConnected when it was never sent; otherwise whatever pg throws.
   */
  async run<R extends pg.QueryResultRow>(query: pg.QueryConfig, deadline: number): Promise<pg.QueryResult<R>> {
    const client = await this.#acquire(deadline);
    let failure: unknown;
    try {
      const left = Math.max(1, deadline - performance.now());
      return await client.query<R>({
        ...query,
        ...(left < this.limits.statement + ANSWER && { query_timeout: Math.ceil(left) }),
      });
    } catch (error) {
      failure = await wasAnswered(client, error);
      const now = performance.now();
      if (isReadOnly(error) && now > this.#goodSince + ANEW_EVERY) this.#goodSince = now;
      throw error;
    } finally {
      client.release(failure !== undefined && spoilsConnection(failure));
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #acquire(deadline: number): Promise<pg.PoolClient> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      const left = Math.max(1, deadline - performance.now());
      timer = setTimeout(() => reject(new Error('no connection in time')), left);
    });
    const connecting = this.#connect();
    try {
      return await Promise.race([connecting, tooLate]);
    } catch (cause) {
      connecting.then(
        (client) => client.release(),
        () => {},
      );
      const { code, message } = cause as NodeJS.ErrnoException;
      throw Object.assign(new NotConnected(message, { cause }), code ? { code } : {});
    } finally {
      clearTimeout(timer);
    }
  }

  async #connect(): Promise<pg.PoolClient> {
    for (;;) {
      if (performance.now() > this.#crowdedUntil) this.#pool.options.max = this.limits.connections;
      try {
        const client = await this.#pool.connect();
        if (this.#madeAt.get(client)! >= this.#goodSince) return client;
        client.release(true);
      } catch (error) {
        if (codeOf(error) !== NO_ROOM || this.#pool.totalCount === 0) throw error;
        this.#makeDo();
      }
    }
  }

  /** With the connections there are: whoever asks waits for one of them, as in a smaller pool. */
  #makeDo(): void {
    const now = performance.now();
    const connections = this.#pool.totalCount;
    this.#pool.options.max = connections;
    this.#crowdedUntil = now + CROWDED;
    if (now - this.#toldAt < TELL_EVERY) return;
    this.#toldAt = now;
    this.#log.warn(
      { connections, wanted: this.limits.connections },
      'the database has no room for another connection: those there are go round; lower database_pool or raise its limit',
    );
  }
}
