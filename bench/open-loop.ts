import { Connection, written } from './connection.ts';
import type { Script } from './scripts.ts';

/** Kept from the beginning; more are opened where they do not suffice. */
const CONNECTIONS = 64;

interface Arrivals {
  readonly url: string;
  readonly script: Script & { kind: 'same' };
  readonly perSecond: number;
  readonly seconds: number;
}

/** Milliseconds from the moment a request was due to the end of its answer. */
export interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
  readonly answered: number;
  readonly failed: number;
}

/**
 * Requests that arrive at a fixed rate, whatever becomes of those before them. Each is timed from the moment it was due,
 * so that a stall of the server (or of this process) counts against every request that came into it: nothing is omitted
 * in coordination with the server.
 */
export async function openLoop({ url, script, perSecond, seconds }: Arrivals): Promise<Latencies> {
  const bytes = written(script.method, script.path, script.headers ?? {}, script.body);
  const idle: Connection[] = await Promise.all(Array.from({ length: CONNECTIONS }, () => Connection.open(url)));
  const took: number[] = [];
  let failed = 0;
  let open = 0;

  /** One of those that wait, which the server has not closed meanwhile: nobody answers on such a one, nor says so. */
  function free(): Connection | undefined {
    for (;;) {
      const connection = idle.pop();
      if (!connection || connection.isOpen) return connection;
    }
  }

  async function send(due: number): Promise<void> {
    open += 1;
    try {
      const connection = free() ?? (await Connection.open(url));
      const { status } = await connection.ask(bytes);
      if (status !== 200) throw new Error(`answered ${status}`);
      took.push(performance.now() - due);
      idle.push(connection);
    } catch {
      failed += 1;
    } finally {
      open -= 1;
    }
  }

  const total = Math.floor(perSecond * seconds);
  const begun = performance.now();
  const at = (number: number): number => begun + (number / perSecond) * 1000;
  await new Promise<void>((done) => {
    let sent = 0;
    const turn = (): void => {
      const due = Math.min(total, Math.floor(((performance.now() - begun) / 1000) * perSecond) + 1);
      for (; sent < due; sent += 1) void send(at(sent));
      const wait = sent < total ? at(sent) - performance.now() : 5;
      if (sent === total && open === 0) done();
      // Asleep where there is time for it: where the server has the same cores, waiting must cost it none.
      else if (wait > 1) setTimeout(turn, Math.ceil(wait));
      else setImmediate(turn);
    };
    turn();
  });
  for (const connection of idle) connection.close();
  took.sort((a, b) => a - b);
  const of = (share: number): number => took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0;
  return { p50: of(0.5), p99: of(0.99), most: of(1), answered: took.length, failed };
}
