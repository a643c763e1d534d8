import { setTimeout as pause } from 'node:timers/promises';
import { milliseconds } from '../../src/lib/index.ts';
import { droppingIdle } from '../support/idle-connections.ts';
import { PASSWORD } from '../support/postern.ts';
import { post } from './calls.ts';
import { check, inWords, told, whys } from './history/check.ts';
import { Load } from './load.ts';
import { type Finding, type Ground, part } from './part.ts';
import { ALL, LONG_LIVED, type Stage } from './set-ups.ts';

interface Numbers {
  readonly rounds: number;
  readonly browsers: number;
}

interface Stop {
  readonly code: number | null;
  /** When it was told to, on the clock of the calls. */
  readonly at: number;
  readonly took: number;
}

const LIMIT_MS = 10_000;
/** What `shutdown_delay` gives a balancer. */
const NOTICED_MS = 100;
/** Less than the second that the server gives an idle connection when it ends. */
const IDLE = milliseconds(300);

export const restarts = part<Numbers>({
  name: 'restarts',
  promise: 'SIGTERM under load, of every process in turn: no request fails, no sign-in is lost midway',
  setUps: ALL,
  inShort: ['file', 'cluster'],
  short: { rounds: 1, browsers: 4 },
  full: { rounds: 10, browsers: 6 },
  prove: (ground, numbers) => droppingIdle(IDLE, () => restart(ground, numbers)),
});

async function restart({ seed, open }: Ground, { rounds, browsers }: Numbers): Promise<Finding[]> {
  const stage = await open({ people: browsers, clients: 9, env: LONG_LIVED });
  // Whoever is refused a connection has sent nothing, and is told nothing by the balancer meanwhile.
  stage.front.patience = LIMIT_MS;
  const load = new Load(stage, { seed, browsers });
  let restarting = true;
  const typed: string[] = [];
  const working = Promise.all([load.until(() => !restarting), typing(stage, typed, () => !restarting)]);
  working.catch(() => {});
  const stops: Stop[] = [];
  await pause(300);
  for (let round = 0; round < rounds; round += 1) {
    for (const server of [...stage.servers]) {
      // Connections that come while a port closes are reset by the kernel: a balancer sends no more before it does.
      stage.remove(server);
      await pause(NOTICED_MS);
      const began = performance.now();
      const code = await server.terminate();
      stops.push({ code, at: Math.round(began), took: performance.now() - began });
      await stage.start();
      await pause(100);
    }
  }
  restarting = false;
  await working;
  await load.audit();
  return [requests(stage, load, typed, stops), ending(stops)];
}

/** Passwords are the slowest thing to answer: one of these is always under way. */
async function typing({ issuer, typist, people }: Stage, typed: string[], stopped: () => boolean): Promise<void> {
  while (!stopped()) {
    const form = { grant_type: 'password', username: people[0]!.email, password: PASSWORD, scope: 'openid' };
    const answer = await post(`${issuer}/token`, typist, form);
    typed.push(answer.outcome === 'ok' ? 'ok' : JSON.stringify(answer));
  }
}

function requests(stage: Stage, load: Load, typed: readonly string[], stops: readonly Stop[]): Finding {
  const verdict = check(load.families);
  const mistyped = typed.filter((word) => word !== 'ok');
  const failed = verdict.unknown + load.stumbles.length + mistyped.length;
  return {
    fact: 'requests under rolling restarts',
    figure: `${stops.length} restarts: ${failed} failed of ${verdict.acknowledged + typed.length}; ${inWords(verdict)}`,
    held: failed === 0 && verdict.found.length === 0 && verdict.acknowledged > 10 * stops.length,
    detail: [
      ...load.stumbles,
      ...mistyped,
      ...whys(load.families),
      told(verdict),
      JSON.stringify(stops),
      ...stage.errors().slice(0, 20),
    ].join('\n'),
  };
}

function ending(stops: readonly Stop[]): Finding {
  const slowest = Math.max(...stops.map(({ took }) => took));
  return {
    fact: 'ending in order',
    figure: `exit 0 in ${(slowest / 1000).toFixed(1)} s at most`,
    held: slowest < LIMIT_MS && stops.every(({ code }) => code === 0),
    detail: JSON.stringify(stops),
  };
}
