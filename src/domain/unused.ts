import type { TableName } from '../store/index.ts';

/** What people and operators make; the rest a server makes by itself at its first start, or for visitors. */
const MADE = ['accounts', 'clients', 'resources', 'upstreams'] as const satisfies TableName[];

/** Whether there is nothing in a store that anybody would miss. */
export const isUnused = (counts: Readonly<Record<TableName, number>>): boolean =>
  MADE.every((table) => counts[table] === 0);
