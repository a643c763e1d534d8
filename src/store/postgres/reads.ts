import type { Clock } from '../../lib/index.ts';
import { deepFreeze } from '../changes.ts';
import type { Row } from '../contract.ts';
import type { TableName } from '../records.ts';
import type { Connections } from './connections.ts';
import { isAnswered, NotConnected, unavailable } from './errors.ts';
import { type Asked, statement } from './statement.ts';

export type AnyRow = Row<object>;

/** What one row of an answer holds; `part` says which question it answers. */
interface Kept {
  readonly part: number;
  readonly id: string;
  readonly version: string;
  readonly expires_at: number | null;
  readonly record: string;
}

interface Waiting {
  readonly asked: Asked;
  readonly answer: (rows: AnyRow[]) => void;
  readonly fail: (error: unknown) => void;
}

/** More questions than this in one tick are several statements. */
const MOST_GETS = 500;
const MOST_FINDS = 20;

/**
 * Reads. All that is asked in one turn of the event loop is one statement, so one round trip, and sees one state of the
 * database: a request asks for three to six rows at once, and many requests may ask together.
 */
export class Reads {
  readonly #connections: Connections;
  readonly #now: Clock;
  #waiting: Waiting[] = [];

  constructor({ connections, now }: { connections: Connections; now: Clock }) {
    this.#connections = connections;
    this.#now = now;
  }

  /** The row whatever its `expiresAt` is. @throws StoreUnavailable */
  async get(table: TableName, id: string): Promise<AnyRow | undefined> {
    const [row] = await this.#ask({ table, id });
    return row;
  }

  /** Live rows after `after`, at most `limit`. @throws StoreUnavailable */
  find(table: TableName, key: { column: string; value: string } | undefined, after: string, limit: number) {
    return this.#ask({ table, key, after, limit });
  }

  #ask(asked: Asked): Promise<AnyRow[]> {
    return new Promise((answer, fail) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#flush());
      this.#waiting.push({ asked, answer, fail });
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const gets = waiting.filter(({ asked }) => 'id' in asked);
    const finds = waiting.filter(({ asked }) => !('id' in asked));
    while (gets.length + finds.length > 0)
      void this.#answer([...gets.splice(0, MOST_GETS), ...finds.splice(0, MOST_FINDS)]);
  }

  async #answer(waiting: readonly Waiting[]): Promise<void> {
    try {
      const { query, partOf } = statement(
        waiting.map(({ asked }) => asked),
        this.#now(),
      );
      const parts = new Map<string, AnyRow[]>();
      for (const kept of await this.#run(query)) {
        // Of the gets of one table every row is an answer of its own.
        const place = partOf.gets.has(kept.part) ? `${kept.part}/${kept.id}` : `${kept.part}`;
        const rows = parts.get(place);
        if (rows) rows.push(row(kept));
        else parts.set(place, [row(kept)]);
      }
      for (const [i, { answer }] of waiting.entries()) answer(parts.get(partOf.places[i]!) ?? []);
    } catch (error) {
      for (const { fail } of waiting) fail(unavailable(error));
    }
  }

  /** Asked again once where the connection was lost: a read changes nothing. */
  async #run(query: ReturnType<typeof statement>['query']): Promise<Kept[]> {
    const deadline = this.#connections.deadline();
    try {
      return (await this.#connections.run<Kept>(query, deadline)).rows;
    } catch (error) {
      if (isAnswered(error) || error instanceof NotConnected) throw error;
      return (await this.#connections.run<Kept>(query, deadline)).rows;
    }
  }
}

const row = ({ id, version, expires_at, record }: Kept): AnyRow =>
  Object.freeze({
    id,
    version: Number(version),
    ...(expires_at !== null && { expiresAt: expires_at }),
    record: deepFreeze(JSON.parse(record)),
  });
