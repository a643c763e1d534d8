import type { Client } from 'pg';
import { type Clock, type Logger, seconds } from '../../lib/index.ts';
import { Connections, LIMITS, type Limits } from './connections.ts';
import { DatabaseRefused, refused } from './errors.ts';
import { migrate } from './migrate.ts';
import { PostgresStore } from './store.ts';

export interface PostgresStoreOptions {
  /** `postgresql://user:password@host:port/database` */
  readonly url: string;
  readonly now: Clock;
  readonly log: Logger;
  /** There was a store before: a database without one is refused instead of filled. False on `--init`. */
  readonly mustExist?: boolean;
  /** Called with how long each acknowledged commit took, in seconds. */
  readonly onCommit?: (seconds: number) => void;
  readonly limits?: Limits;
}

const OLDEST = 15;
const CLOCKS_APART = seconds(5);

/**
 * Opens the store in a database, and makes or migrates its schema.
 * @throws DatabaseRefused when the database cannot be reached or used; the message says why.
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const { url, now, log, onCommit, limits = LIMITS } = options;
  const connections = connect(() => new Connections({ url, limits, log }));
  const client = connections.single();
  client.on('error', () => {});
  try {
    await client.connect();
    await check(client, options);
    await migrate({ client, log, mustExist: options.mustExist ?? false });
    await mayWrite(client);
    const store = new PostgresStore({ connections, now, log, onCommit });
    await store.follow();
    const { host, port, database } = connections.target;
    log.info({ host, port, database }, 'the store is open');
    return store;
  } catch (error) {
    await connections.close();
    throw refused(error, connections.target);
  } finally {
    await client.end().catch(() => {});
  }
}

/** A URL may be one and still hold what pg cannot use: a certificate that is not there, an unknown mode. */
function connect(make: () => Connections): Connections {
  try {
    return make();
  } catch (cause) {
    const why = `the URL cannot be used: ${(cause as Error).message}`;
    throw new DatabaseRefused('database_unusable', `cannot use the database (POSTERN_DATABASE_URL): ${why}`, { cause });
  }
}

async function check(client: Client, { now, log }: PostgresStoreOptions): Promise<void> {
  const { rows } = await client.query<{ version: number; encoding: string; clock: number; read_only: string }>(
    `SELECT current_setting('server_version_num')::int / 10000 AS version, current_setting('server_encoding') AS encoding,
       extract(epoch FROM clock_timestamp())::float8 * 1000 AS clock, current_setting('transaction_read_only') AS read_only`,
  );
  const { version, encoding, clock, read_only } = rows[0]!;
  if (version < OLDEST)
    throw new DatabaseRefused(
      'database_unusable',
      `the database is PostgreSQL ${version}; ${OLDEST} or later is needed`,
    );
  if (encoding !== 'UTF8')
    throw new DatabaseRefused('database_unusable', `the database's encoding is ${encoding}; it must be UTF8`);
  if (read_only === 'on') throw Object.assign(new Error('read-only'), { code: '25006' });
  if (Math.abs(clock - now()) > CLOCKS_APART)
    log.warn({ apart: Math.round(clock - now()) }, 'this clock and the database’s are seconds apart: set them by NTP');
}

/** Said at the start rather than at the first sign-in. */
async function mayWrite(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = to_regnamespace('postern') AND c.relkind = 'r'
       AND c.relname <> 'migrations' AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
       AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')) LIMIT 1`,
  );
  if (rows[0]) throw Object.assign(new Error(`on the table postern.${rows[0].name}`), { code: '42501' });
}
