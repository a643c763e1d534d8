import { setTimeout as pause } from 'node:timers/promises';
import { type Duration, seconds } from '../../src/lib/index.ts';
import type { DatabaseServer } from '../support/postgres.ts';
import { HARMS, type Harm } from './fault/harms.ts';
import { keptToken, probe, recovery } from './fault/probe.ts';
import { Gate } from './gate.ts';
import { check, inWords, told } from './history/check.ts';
import { Load } from './load.ts';
import { type Finding, part } from './part.ts';
import { LONG_LIVED, ON_POSTGRES, type Stage } from './set-ups.ts';

interface Numbers {
  readonly rounds: number;
  readonly browsers: number;
  /** What a busy machine may add to the limits. */
  readonly busy: Duration;
}

const ANSWERED_WITHIN = seconds(5);
const BACK_WITHIN = seconds(3);
/** Requests that the fault meets on their way. */
const CAUGHT_MS = 200;

export const faults = part<Numbers>({
  name: 'faults',
  promise:
    'the database fails in every way: a clean answer within 5 s, told by /readyz, well again within 3 s, nothing done twice',
  setUps: ON_POSTGRES,
  inShort: ['cluster'],
  short: { rounds: 1, browsers: 3, busy: seconds(15) },
  full: { rounds: 3, browsers: 4, busy: 0 },
  async prove({ seed, databases, open }, { rounds, browsers, busy }) {
    const stage = await open({ people: browsers, clients: 9, env: LONG_LIVED, watched: true });
    const server = await databases();
    const token = await keptToken(stage);
    const gate = new Gate();
    const load = new Load(stage, { seed, browsers, ready: () => gate.passed });
    let failing = true;
    const working = load.until(() => !failing);
    working.catch(() => {});
    const found: Finding[] = [];
    for (const harm of HARMS) found.push(await suffer(harm, { stage, server, gate, token }, { rounds, busy }));
    failing = false;
    await working;
    await load.audit();
    const verdict = check(load.families);
    const held = verdict.found.length === 0 && verdict.acknowledged > 10;
    const detail = [told(verdict), ...stage.errors().slice(0, 20)].join('\n');
    return [...found, { fact: 'under all of these', figure: inWords(verdict), held, detail }];
  },
});

interface Suffering {
  readonly stage: Stage;
  readonly server: DatabaseServer;
  readonly gate: Gate;
  /** One that was kept before anything failed. */
  readonly token: string;
}

/** Does the same harm again and again, and looks at what is answered meanwhile and how soon all is well. */
async function suffer(
  harm: Harm,
  { stage, server, gate, token }: Suffering,
  { rounds, busy }: Pick<Numbers, 'rounds' | 'busy'>,
): Promise<Finding> {
  const seen = new Map<string, number>();
  const readiness = new Set<string>();
  let clean = true;
  let slowest = 0;
  let longest = 0;
  for (let round = 0; round < rounds; round += 1) {
    const heal = await harm.begin(stage, server);
    await pause(CAUGHT_MS);
    await gate.shutWhile(async () => {
      const { answers, ready } = await probe(stage, token);
      for (const { word, took, reads } of answers) {
        clean &&= ((reads && harm.toReaders) || harm.answers).includes(word);
        seen.set(word, (seen.get(word) ?? 0) + 1);
        slowest = Math.max(slowest, took);
      }
      for (const word of ready) readiness.add(word);
      await heal();
      longest = Math.max(longest, await recovery(stage));
    });
  }
  const words = [...seen].map(([word, count]) => `${count} × ${word}`).join(', ');
  const inTime = slowest < ANSWERED_WITHIN + busy && longest < BACK_WITHIN + busy;
  const isTold = !harm.down || [...readiness].every((word) => word === '503');
  return {
    fact: harm.name,
    figure: `${words} in ${inSeconds(slowest)} at most; /readyz ${[...readiness].join(' or ')}; well after ${inSeconds(longest)}`,
    held: inTime && clean && isTold,
    detail: JSON.stringify({ inTime, clean, isTold }),
  };
}

const inSeconds = (time: Duration): string => `${(time / seconds(1)).toFixed(1)} s`;
