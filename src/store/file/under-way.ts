import type { PreparedChange } from '../changes.ts';
import { TABLE_NAMES, TABLES, type TableName } from '../records.ts';

/**
 * Rows that are changed in memory by commits that are not acknowledged yet. Whoever is told of such a change must be told
 * after it is durable: a process that dies meanwhile takes the change with it, and what was told would be untrue.
 */
export class UnderWay {
  readonly #rows = new Map<TableName, Map<string, Promise<void>>>(TABLE_NAMES.map((name) => [name, new Map()]));
  /** The last commit of each table; those before it are durable when it is. */
  readonly #tables = new Map<TableName, Promise<void>>();

  /** What may be forgotten (relaxed) nobody waits for. */
  add(changes: readonly PreparedChange[], acknowledged: Promise<void>): void {
    for (const { table, id } of changes) {
      if (TABLES[table].durability === 'relaxed') continue;
      this.#rows.get(table)!.set(id, acknowledged);
      this.#tables.set(table, acknowledged);
    }
    const forget = () => this.#forget(changes, acknowledged);
    acknowledged.then(forget, forget);
  }

  /** The commit that changed the row last, if it is not acknowledged yet. */
  ofRow(table: TableName, id: string): Promise<void> | undefined {
    return this.#rows.get(table)!.get(id);
  }

  /** The commit that changed the table last, if it is not acknowledged yet. */
  ofTable(table: TableName): Promise<void> | undefined {
    return this.#tables.get(table);
  }

  #forget(changes: readonly PreparedChange[], acknowledged: Promise<void>): void {
    for (const { table, id } of changes) {
      const rows = this.#rows.get(table)!;
      if (rows.get(id) === acknowledged) rows.delete(id);
      if (this.#tables.get(table) === acknowledged) this.#tables.delete(table);
    }
  }
}
