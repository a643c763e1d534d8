import { setTimeout as pause } from 'node:timers/promises';
import { type Clock, newSecret } from '../../lib/index.ts';
import type { PreparedChange } from '../changes.ts';
import { StoreConflict, StoreUnavailable } from '../contract.ts';
import { TABLES } from '../records.ts';
import type { Connections } from './connections.ts';
import { CONFLICT, codeOf, isAnswered, isRace, NotConnected, unavailable } from './errors.ts';
import { keysOf } from './keys.ts';
import { isWatched } from './watched.ts';

/** How often a commit is tried that is known not to have happened: somebody else was preferred, or the connection fell. */
const ATTEMPTS = 5;

/** Writes commits: one statement each, and the truth about those whose answer was lost. */
export class Commits {
  readonly #connections: Connections;
  readonly #now: Clock;
  /** Names this process's commits; no two processes have the same. */
  readonly #process = newSecret().slice(0, 16);
  #count = 0;

  constructor({ connections, now }: { connections: Connections; now: Clock }) {
    this.#connections = connections;
    this.#now = now;
  }

  /** @throws StoreConflict, StoreUnavailable */
  async write(changes: readonly PreparedChange[]): Promise<void> {
    const deadline = this.#connections.deadline();
    // Everybody locks rows in this order, so nobody waits in a circle.
    const ordered = changes.toSorted((a, b) => compare(a.table, b.table) || compare(a.id, b.id));
    const relaxed = ordered.every(({ table }) => TABLES[table].durability === 'relaxed');
    const changed = [...new Set(ordered.map(({ table }) => table).filter(isWatched))].join(' ');
    const text = JSON.stringify(ordered.map(asJson));
    for (let attempt = 1; ; attempt += 1) {
      const id = this.#newId();
      try {
        await this.#connections.run(
          {
            name: 'commit',
            text: 'SELECT postern.commit($1, $2, $3, $4, $5)',
            values: [id, relaxed, this.#now(), changed || null, text],
          },
          deadline,
        );
        return;
      } catch (error) {
        if (error instanceof NotConnected) throw unavailable(error);
        if (codeOf(error) === CONFLICT) throw conflict(ordered, error);
        if (isAnswered(error) && !isRace(error)) throw unavailable(error);
        if (!isAnswered(error) && (await this.#happened(id, deadline, error))) return;
        if (attempt === ATTEMPTS) throw unavailable(error);
        await pause(Math.random() * 10 * attempt);
      }
    }
  }

  /**
   * Whether a commit happened whose answer was lost. The question waits for the commit where it is still under way, and
   * where it is not there yet, forbids it: it would find its id taken. So the answer stays true.
   * @throws StoreUnavailable when nobody tells in time.
   */
  async #happened(id: string, deadline: number, lost: unknown): Promise<boolean> {
    for (;;) {
      try {
        const { rows } = await this.#connections.run<{ happened: boolean }>(
          {
            name: 'happened',
            text: `INSERT INTO postern.commits AS c (id, happened) VALUES ($1, false)
                   ON CONFLICT (id) DO UPDATE SET at = c.at RETURNING happened`,
            values: [id],
          },
          deadline,
        );
        return rows[0]!.happened;
      } catch (error) {
        // A server that became a standby cannot be asked.
        if (codeOf(error) === '25006') throw unavailable(error);
        if (performance.now() + 100 >= deadline)
          throw new StoreUnavailable('the database was lost at a commit, and nobody knows whether it happened', {
            cause: lost,
          });
        await pause(50);
      }
    }
  }

  #newId(): string {
    this.#count += 1;
    return `${this.#process}.${this.#count}`;
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function asJson({ table, id, record, expiresAt, expect }: PreparedChange): object {
  const act = `${record ? 'put' : 'remove'}${expect === undefined ? '' : expect === 'absent' ? '-absent' : '-expected'}`;
  return {
    act,
    kind: table,
    id,
    ...(typeof expect === 'number' && { expect }),
    ...(expiresAt !== undefined && { expires_at: expiresAt }),
    ...(record && { record: JSON.stringify(record), keys: keysOf(table, record) }),
  };
}

function conflict(ordered: readonly PreparedChange[], error: unknown): StoreConflict {
  const { table, id } = ordered[Number((error as { detail?: string }).detail)]!;
  return new StoreConflict(table, id);
}
