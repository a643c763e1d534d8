import type { TableName } from '../records.ts';

/** Tables that are read at every request and seldom written: kept in the process, and announced when they change. */
export const WATCHED = [
  'clients',
  'resources',
  'upstreams',
  'signing_keys',
  'server_secrets',
  'marks',
] as const satisfies TableName[];

export type WatchedTable = (typeof WATCHED)[number];

export const isWatched = (table: string): table is WatchedTable => (WATCHED as readonly string[]).includes(table);
