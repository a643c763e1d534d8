import { Connection } from './connection.ts';
import type { Prepared } from './scripts.ts';

interface Turns {
  readonly urls: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  readonly script: Prepared;
  /** Where the load has cores of its own: never sleeps, see {@link stayAwake}. */
  readonly awake: boolean;
}

/** What a load measured. */
export interface Measured {
  /** Answers of 2xx per second. */
  readonly rate: number;
  readonly answered: number;
  /** Answers that were neither 2xx nor a redirect, and connections that broke. */
  readonly failed: number;
}

/** So many connections, of which each asks again as soon as it was answered. */
export async function closedLoop({ urls, connections, seconds, script, awake }: Turns): Promise<Measured> {
  const open = await Promise.all(
    Array.from({ length: connections }, (_, number) => Connection.open(urls[number % urls.length]!)),
  );
  const until = performance.now() + seconds * 1000;
  let [answered, failed, first, last] = [0, 0, 0, 0];

  async function client(connection: Connection): Promise<void> {
    const steps = script.begin();
    for (let step = 0; performance.now() < until; step = (step + 1) % steps.length) {
      const { ask, seen } = steps[step]!;
      const answer = await connection.ask(ask());
      seen?.(answer);
      if (answer.status >= 400) failed += 1;
      if (answer.status < 200 || answer.status >= 300) continue;
      last = performance.now();
      if (answered === 0) first = last;
      answered += 1;
    }
  }

  const sleep = awake ? stayAwake() : () => {};
  await Promise.all(
    open.map((connection) =>
      client(connection)
        .catch(() => {
          failed += 1;
        })
        .finally(() => connection.close()),
    ),
  );
  sleep();
  return { rate: ((answered - 1) / (last - first)) * 1000, answered, failed };
}

/**
 * Has this process look for answers all the time. Who answers one that sleeps pays for waking it: on a virtual machine that
 * is a call to the hypervisor, a third of what a quick answer costs, and only a server slower than its load would pay it.
 * Clients on machines of their own are woken by those.
 * @returns how it may sleep again
 */
export function stayAwake(): () => void {
  let next = setImmediate(function again() {
    next = setImmediate(again);
  });
  return () => clearImmediate(next);
}
