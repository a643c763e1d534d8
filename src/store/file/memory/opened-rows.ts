import type { AnyRow } from './row.ts';

const MOST = 2_000;

/**
 * The rows of a table that were asked for last, as objects: for as long as one is here, it is the same object.
 * When there are many, those that nobody has asked for since go.
 */
export class OpenedRows {
  #recent = new Map<string, AnyRow>();
  #older = new Map<string, AnyRow>();

  get(id: string): AnyRow | undefined {
    const recent = this.#recent.get(id);
    if (recent) return recent;
    const older = this.#older.get(id);
    if (older) this.set(older);
    return older;
  }

  set(row: AnyRow): void {
    if (this.#recent.size === MOST) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(row.id, row);
  }

  clear(): void {
    if (this.#recent.size + this.#older.size === 0) return;
    this.#recent = new Map();
    this.#older = new Map();
  }

  delete(id: string): void {
    this.#recent.delete(id);
    this.#older.delete(id);
  }
}
