import type { Clock, Logger } from '../../lib/index.ts';
import type { Client } from './client.ts';
import { Clocks } from './clocks.ts';
import { type ConnectionOptions, Connections, LIMITS, type Limits } from './connections.ts';
import { DatabaseRefused, refused } from './errors.ts';
import { migrate } from './migrate.ts';
import { share } from './others.ts';
import { withoutLimits } from './rows.ts';
import { mustKeepItsSession } from './session.ts';
import { PostgresStore } from './store.ts';

interface PostgresStoreOptions {
  /** `postgresql://user:password@host:port/database` */
  readonly url: string;
  readonly now: Clock;
  readonly log: Logger;
  /** There was a store before: a database without one is refused instead of filled. False on `--init`. */
  readonly mustExist?: boolean;
  /** Called with how long each acknowledged commit took, in seconds. */
  readonly onCommit?: (seconds: number) => void;
  readonly limits?: Limits;
  /** Connections of this process, besides the one that listens; 10 unless given. */
  readonly pool?: number | undefined;
  /** Processes of this machine that open as many each; 1 unless given. */
  readonly processes?: number | undefined;
}

const OLDEST = 15;

/**
 * Opens the store in a database, and makes or migrates its schema.
 * @throws DatabaseRefused when the database cannot be reached or used; the message says why.
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const { url, now, log, onCommit, pool, processes = 1, mustExist = false } = options;
  const limits = { ...(options.limits ?? LIMITS), ...(pool && { connections: pool }) };
  const connections = connect({ url, limits, log });
  const clocks = new Clocks({ now, log });
  const single = () => connections.single(limits.start);
  const client = single();
  client.on('error', () => {});
  try {
    await client.connect();
    await mustKeepItsSession(client, single);
    await share(client);
    await ready(client, { clocks, log, mustExist, most: mostConnections(processes, limits.connections) });
    const store = new PostgresStore({ connections, clocks, now, log, onCommit });
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
export function connect(options: ConnectionOptions): Connections {
  try {
    return new Connections(options);
  } catch (cause) {
    const why = `the URL cannot be used: ${(cause as Error).message}`;
    const { named = 'POSTERN_DATABASE_URL' } = options;
    throw new DatabaseRefused('database_unusable', `cannot use the database (${named}): ${why}`, { cause });
  }
}

interface Needs {
  readonly clocks: Clocks;
  readonly log: Logger;
  readonly mustExist: boolean;
  /** Connections this machine may open. */
  readonly most: number;
}

/** Sees that the database can be used, and makes or migrates the schema. */
export async function ready(client: Client, needs: Needs): Promise<void> {
  await client.query(withoutLimits(false));
  await check(client, needs);
  await migrate({ client, ...needs });
  await mayWrite(client);
}

interface ServerFacts {
  readonly version: number;
  readonly encoding: string;
  readonly read_only: string;
  /** Connections that are not kept for superusers, or fewer where the database or the role may have only those. */
  readonly connections: number;
}

async function check(client: Client, { clocks, log, most }: Needs): Promise<void> {
  const { rows } = await client.query<ServerFacts>(
    `SELECT current_setting('server_version_num')::int / 10000 AS version, current_setting('server_encoding') AS encoding,
       current_setting('transaction_read_only') AS read_only,
       least(
         current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
         (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()),
         (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user AND NOT rolsuper)
       ) AS connections`,
  );
  const { version, encoding, read_only, connections } = rows[0]!;
  if (version < OLDEST)
    throw new DatabaseRefused(
      'database_unusable',
      `the database is PostgreSQL ${version}; ${OLDEST} or later is needed`,
    );
  if (encoding !== 'UTF8')
    throw new DatabaseRefused('database_unusable', `the database's encoding is ${encoding}; it must be UTF8`);
  if (read_only === 'on') throw Object.assign(new Error('read-only'), { code: '25006' });
  if (most > connections)
    log.warn(
      { most, allowed: connections },
      'this machine alone may open more connections than the database allows: lower database_pool, or raise max_connections or the limit of the database or the role',
    );
  await clocks.compare(client);
}

/** Each process has one more that listens; while workers are replaced there is one more process. */
const mostConnections = (processes: number, pool: number): number => (processes > 1 ? processes + 1 : 1) * (pool + 1);

/** Said at the start rather than at the first sign-in. */
async function mayWrite(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT 'table postern.' || c.relname AS name FROM pg_class c
       WHERE c.relnamespace = to_regnamespace('postern') AND c.relkind = 'r' AND c.relname <> 'migrations'
       AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
       AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))
     UNION ALL SELECT 'sequence postern.versions' WHERE NOT has_sequence_privilege('postern.versions', 'USAGE')
     UNION ALL SELECT 'function postern.' || p.proname FROM pg_proc p
       WHERE p.pronamespace = to_regnamespace('postern') AND p.proname IN ('commit', 'commit_all')
       AND NOT has_function_privilege(p.oid, 'EXECUTE')
     LIMIT 1`,
  );
  if (rows[0]) throw Object.assign(new Error(`on the ${rows[0].name}`), { code: '42501' });
}
