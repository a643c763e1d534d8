import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from 'pg';
import { seconds } from '../../lib/index.ts';
import { DatabaseRefused } from './errors.ts';

/** Any number, the same in every version: whoever has the store open shares this lock, whoever carries it away has it alone. */
const OPEN = 0x6f_70_65_6e;
/** A command on the same database is over by then. */
const PATIENCE = seconds(3);

/** Shares the store with whoever else has it open, for as long as the client is connected. */
export async function share(client: Client): Promise<void> {
  const { rows } = await client.query<{ shared: boolean }>('SELECT pg_try_advisory_lock_shared($1) AS shared', [OPEN]);
  if (!rows[0]!.shared)
    throw new DatabaseRefused(
      'store_busy',
      'the database is being restored or moved at this moment: start again when that has ended',
    );
}

/** Has the store alone, for as long as the client is connected. @throws DatabaseRefused `store_in_use` */
export async function takeAlone(client: Client): Promise<void> {
  const giveUp = performance.now() + PATIENCE;
  for (;;) {
    const { rows } = await client.query<{ alone: boolean }>('SELECT pg_try_advisory_lock($1) AS alone', [OPEN]);
    const others = await othersThan(client);
    if (rows[0]!.alone && others.length === 0) return;
    if (performance.now() > giveUp) throw inUse(others);
    // Not while waiting: who comes in the meantime would be refused for nothing.
    if (rows[0]!.alone) await client.query('SELECT pg_advisory_unlock($1)', [OPEN]);
    await pause(100);
  }
}

/** Looks again whether nobody came. @throws DatabaseRefused `store_in_use` */
export async function stillAlone(client: Client): Promise<void> {
  const others = await othersThan(client);
  if (others.length > 0) throw inUse(others);
}

interface Connected {
  readonly role: string;
  /** Not told of other roles; of a local socket there is none. */
  readonly address: string | null;
  /** Not told of other roles. */
  readonly since: Date | null;
  readonly connections: number;
}

/**
 * Whoever holds the lock, and whoever calls itself Postern: a server that lost the one connection that holds the lock. By
 * machine, for one server has a dozen connections.
 */
async function othersThan(client: Client): Promise<string[]> {
  const { rows } = await client.query<Connected>(
    `SELECT usename::text AS role, host(client_addr) AS address, count(*)::int AS connections, min(backend_start) AS since FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND (application_name = 'postern' OR pid IN (
       SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = $1 AND classid = 0
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())))
     GROUP BY usename, client_addr ORDER BY since`,
    [OPEN],
  );
  return rows.map(({ role, address, connections, since }) => {
    const at = since ? ` since ${since.toISOString()}` : '';
    return `${address ?? (since ? 'a local process' : `the role ${role}`)} (${connections} connection${connections === 1 ? '' : 's'}${at})`;
  });
}

const inUse = (others: readonly string[]): DatabaseRefused =>
  new DatabaseRefused(
    'store_in_use',
    `the database is in use by ${others.join(', ') || 'another process'}: stop every server on it first`,
  );
