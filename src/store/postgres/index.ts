/**
 * store/postgres: the engine that keeps everything in PostgreSQL, for any number of processes.
 *
 * It owns the schema `postern` of one database: a table per record kind, the sequence of versions, the commits that
 * happened lately, and the numbered migrations that made them. It never acknowledges a commit whose outcome it could
 * not learn, never waits longer than {@link LIMITS} say, and knows no noun of the domain.
 *
 * A read goes store → cache → reads (one statement a tick); a commit goes store → commits (one statement); what other
 * processes changed comes in through notifications. docs/decisions/0006-postgres-store.md has the reasons.
 */
export { openDatabaseAlone } from './alone.ts';
export { LIMITS } from './connections.ts';
export { openPostgresStore } from './open.ts';
export type { PostgresStore } from './store.ts';
export type { WatchedTable } from './watched.ts';
