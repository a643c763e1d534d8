import { setTimeout as pause } from 'node:timers/promises';
import { type Clock, type Duration, newSecret } from '../../lib/index.ts';
import type { PreparedChange } from '../changes.ts';
import { StoreConflict, StoreUnavailable } from '../contract.ts';
import { TABLES } from '../records.ts';
import type { Connections } from './connections.ts';
import { isAnswered, isRace, isReadOnly, NotConnected, unavailable } from './errors.ts';
import { keysOf } from './keys.ts';
import { isWatched } from './watched.ts';

/** How often a commit is tried that is known not to have happened: somebody else was preferred, or the connection fell. */
const ATTEMPTS = 5;

/** The part of the connections that carry commits; the others are for reads and for questions. */
const LANES = 0.6;
/** Commits, and rows, that share a statement when more are asked for than there are lanes. */
const MOST_COMMITS = 40;
const MOST_ROWS = 200;

/** A commit on its way. */
interface Pending {
  readonly changes: readonly PreparedChange[];
  readonly relaxed: boolean;
  /** Its changes and the watched tables among them, as the database takes them. */
  readonly text: string;
  /** The rows it touches, as the database locks them. */
  readonly touched: readonly string[];
  /** Until when somebody waits for it: it is not sent afterwards. */
  readonly wantedUntil: number;
  /** Until when its outcome is asked for, though nobody may hear of it: what has not happened by then is forbidden. */
  readonly deadline: number;
  /** Names the attempt: a new one each time. */
  id: string;
  attempts: number;
  readonly done: () => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Writes commits and knows the truth about those whose answer was lost. One that comes alone is a statement of its own at
 * once; those that come while all lanes are taken share the next statement, each still whole or not at all by itself.
 */
export class Commits {
  readonly #connections: Connections;
  readonly #now: Clock;
  /** Names this process's commits; no two processes have the same. */
  readonly #process = newSecret().slice(0, 16);
  readonly #waiting: Pending[] = [];
  #count = 0;
  /** Statements on their way, and how many may be. */
  #lanes = 0;
  readonly #mostLanes: number;

  constructor({ connections, now }: { connections: Connections; now: Clock }) {
    this.#connections = connections;
    this.#now = now;
    this.#mostLanes = Math.max(1, Math.floor(connections.limits.connections * LANES));
  }

  /**
   * @param left how long somebody waits for it
   * @throws StoreConflict, StoreUnavailable
   */
  write(given: readonly PreparedChange[], left: Duration): Promise<void> {
    // Expectations that do not hold are told in this order too.
    const changes = given.toSorted((a, b) => compare(a.table, b.table) || compare(a.id, b.id));
    const changed = [...new Set(changes.map(({ table }) => table).filter(isWatched))].join(' ') || null;
    return new Promise((done, fail) => {
      this.#waiting.push({
        changes,
        relaxed: changes.every(({ table }) => TABLES[table].durability === 'relaxed'),
        text: `"changed":${JSON.stringify(changed)},"changes":${JSON.stringify(changes.map(asJson))}`,
        touched: changes.map(({ table, id }) => `${table}/${id}`),
        wantedUntil: performance.now() + left,
        deadline: this.#connections.deadline(),
        id: '',
        attempts: 0,
        done,
        fail,
      });
      this.#begin();
    });
  }

  #begin(): void {
    while (this.#lanes < this.#mostLanes) {
      const batch = this.#next();
      if (batch.length === 0) return;
      this.#lanes += 1;
      void this.#send(batch).finally(() => {
        this.#lanes -= 1;
        this.#begin();
      });
    }
  }

  /** The first that is still wanted, and those behind it that fit with it. What was tried before goes alone. */
  #next(): Pending[] {
    const batch: Pending[] = [];
    let rows = 0;
    for (let [next] = this.#waiting; next && batch.length < MOST_COMMITS; [next] = this.#waiting) {
      if (isWanted(next)) {
        rows += next.changes.length;
        const goesAlone = next.attempts > 0 || rows > MOST_ROWS;
        if (batch.length > 0 && (goesAlone || batch[0]!.attempts > 0)) break;
        batch.push(next);
      } else next.fail(new StoreUnavailable('the database took too long'));
      this.#waiting.shift();
    }
    return batch;
  }

  async #send(batch: readonly Pending[]): Promise<void> {
    for (const one of batch) {
      one.id = this.#newId();
      one.attempts += 1;
    }
    const deadline = Math.max(...batch.map(({ wantedUntil }) => wantedUntil));
    const relaxed = batch.every((one) => one.relaxed);
    const large = batch[0]!.changes.length > MOST_ROWS;
    const commits = `[${batch.map(({ id, text }) => `{"id":"${id}",${text}}`).join(',')}]`;
    try {
      const { rows } = await this.#connections.run<{ places: (number | null)[] }>(
        {
          name: 'commit',
          text: 'SELECT postern.commit_all($1, $2, $3, $4, $5) AS places',
          // What is large is locked as a whole.
          values: [relaxed, large, this.#now(), commits, large ? [] : batch.flatMap(({ touched }) => touched)],
        },
        deadline,
      );
      for (const [i, place] of rows[0]!.places.entries()) answer(batch[i]!, place);
    } catch (error) {
      for (const one of batch) void this.#again(one, error, batch.length > 1).catch(one.fail);
    }
  }

  /** After a statement that failed: what happened is acknowledged, what did not is tried again where that can help. */
  async #again(one: Pending, error: unknown, shared: boolean): Promise<void> {
    if (error instanceof NotConnected) throw unavailable(error);
    // Of several that shared a statement, the one that the database refused must not take the others with it.
    if (isAnswered(error) && !isRace(error) && !shared) throw unavailable(error);
    if (!isAnswered(error) && (await this.#happened(one, error))) return one.done();
    if (one.attempts === ATTEMPTS || !isWanted(one)) throw unavailable(error);
    await pause(Math.random() * 10 * one.attempts);
    this.#waiting.push(one);
    this.#begin();
  }

  /**
   * Whether a commit happened whose answer was lost. The question waits for the commit where it is still under way, and
   * where it is not there yet, forbids it: it would find its id taken. So the answer stays true.
   * @throws StoreUnavailable when nobody tells in time.
   */
  async #happened({ id, deadline }: Pending, lost: unknown): Promise<boolean> {
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
        if (isReadOnly(error)) throw unavailable(error);
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

/** @param place of the change whose expectation did not hold; null when the commit happened */
function answer({ changes, done, fail }: Pending, place: number | null): void {
  if (place === null) done();
  else fail(new StoreConflict(changes[place]!.table, changes[place]!.id));
}

const isWanted = ({ wantedUntil }: Pending): boolean => performance.now() < wantedUntil;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function asJson({ table, id, record, json, expiresAt, expect }: PreparedChange): object {
  const act = `${record ? 'put' : 'remove'}${expect === undefined ? '' : expect === 'absent' ? '-absent' : '-expected'}`;
  return {
    act,
    kind: table,
    id,
    ...(typeof expect === 'number' && { expect }),
    ...(expiresAt !== undefined && { expires_at: expiresAt }),
    ...(record && { record: json, keys: keysOf(table, record) }),
  };
}
