import { setTimeout as pause } from 'node:timers/promises';
import { type Duration, hours, seconds } from '../../src/lib/index.ts';
import { fill } from './million/fill.ts';
import { read } from './million/gauges.ts';
import { type Finding, part } from './part.ts';
import type { Running, SetUp, Stage } from './set-ups.ts';
import { openKept } from './store-audit.ts';

interface Limits {
  readonly start: Duration;
  readonly megabytes: number;
  /** Of the event loop, while it sweeps, beyond what it is when idle. */
  readonly stall: Duration;
}

interface Numbers {
  readonly records: number;
  readonly limits: Limits;
}

const LIFE = hours(1);
/** The server looks each minute for what has expired: here each second. */
const HURRY = '60';
const SET_UPS: readonly SetUp[] = ['file', 'database'];

export const million = part<Numbers>({
  name: 'million',
  promise: 'one million live records: it starts within 5 s in 1 GB, and to sweep them away stalls nobody',
  setUps: SET_UPS,
  inShort: ['file'],
  short: { records: 20_000, limits: { start: seconds(60), megabytes: 1000, stall: seconds(5) } },
  full: { records: 1_000_000, limits: { start: seconds(5), megabytes: 1000, stall: 50 } },
  async prove({ open, say }, { records, limits }) {
    const stage = await open({ people: 1, clients: 1, env: { MOVED_CLOCK_HURRY: HURRY }, watched: true });
    for (const server of [...stage.servers]) await server.terminate();
    const store = await openKept(stage);
    const began = performance.now();
    await fill(store, { records, expiresAt: Date.now() + LIFE });
    await store.close();
    // What a server says of large tables there is the database's own estimate.
    await stage.database?.query('ANALYZE');
    say(`${records} records made in ${inSeconds(performance.now() - began)}`);
    const { server, took } = await start(stage);
    // An estimate is a few rows off; what is missing would be a table.
    const least = stage.database ? 0.99 * records : records;
    const found = [started(took, await read(server), least, limits)];
    found.push(await sweep(server, { records, limits }));
    return found;
  },
});

async function start(stage: Stage): Promise<{ server: Running; took: Duration }> {
  const began = performance.now();
  const server = await stage.start();
  const answer = await fetch(`${stage.issuer}/.well-known/openid-configuration`);
  if (answer.status !== 200) throw new Error(`discovery answers ${answer.status}`);
  return { server, took: performance.now() - began };
}

function started(
  took: Duration,
  { rows, megabytes }: Awaited<ReturnType<typeof read>>,
  least: number,
  limits: Numbers['limits'],
): Finding {
  return {
    fact: 'start',
    figure: `${inSeconds(took)} to the first 200, ${Math.round(megabytes)} MB`,
    held: rows >= least && took <= limits.start && megabytes <= limits.megabytes,
    detail: `${rows} rows`,
  };
}

/** Everything expires at one moment. */
async function sweep(server: Running, { records, limits }: Numbers): Promise<Finding> {
  await read(server);
  await pause(seconds(3));
  const { lag: idle } = await read(server);
  await server.move({ wall: 2 * LIFE, monotonic: 2 * LIFE });
  const began = performance.now();
  let longest = 0;
  let left = records;
  while (left >= records / 100 && performance.now() - began < seconds(300)) {
    await pause(seconds(1));
    const seen = await read(server);
    longest = Math.max(longest, seen.lag);
    left = seen.rows;
  }
  return {
    fact: 'sweep of all of them',
    figure: `event loop late by ${longest.toFixed(0)} ms at most (idle: ${idle.toFixed(0)} ms)`,
    held: left < records / 100 && longest - idle <= limits.stall,
    detail: `${left} rows are left`,
  };
}

const inSeconds = (time: Duration): string => `${(time / seconds(1)).toFixed(1)} s`;
