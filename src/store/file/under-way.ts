import type { PreparedChange } from '../changes.ts';
import { TABLES, type TableName } from '../records.ts';

const key = (table: TableName, id: string): string => `${table}/${id}`;

/**
 * Rows that are changed in memory by commits that are not acknowledged yet. Whoever is told of such a change must be told
 * after it is durable: a process that dies meanwhile takes the change with it, and what was told would be untrue.
 */
export class UnderWay {
  readonly #rows = new Map<string, Promise<void>>();
  /** The last commit of each table; those before it are durable when it is. */
  readonly #tables = new Map<string, Promise<void>>();

  /** What may be forgotten (relaxed) nobody waits for. */
  add(changes: readonly PreparedChange[], acknowledged: Promise<void>): void {
    for (const { table, id } of changes) {
      if (TABLES[table].durability === 'relaxed') continue;
      keep(this.#rows, key(table, id), acknowledged);
      keep(this.#tables, table, acknowledged);
    }
  }

  /** The commit that changed the row last, if it is not acknowledged yet. */
  ofRow(table: TableName, id: string): Promise<void> | undefined {
    return this.#rows.size > 0 ? this.#rows.get(key(table, id)) : undefined;
  }

  /** The commit that changed the table last, if it is not acknowledged yet. */
  ofTable(table: TableName): Promise<void> | undefined {
    return this.#tables.get(table);
  }
}

function keep(commits: Map<string, Promise<void>>, name: string, acknowledged: Promise<void>): void {
  commits.set(name, acknowledged);
  const forget = () => {
    if (commits.get(name) === acknowledged) commits.delete(name);
  };
  acknowledged.then(forget, forget);
}
