import { setTimeout as pause } from 'node:timers/promises';
import { randomFrom } from '../store/random.ts';
import type { DatabaseServer } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { Gate } from './gate.ts';
import { check, inWords, told } from './history/check.ts';
import { Load } from './load.ts';
import { type Finding, part } from './part.ts';
import { ALL, LONG_LIVED, type SetUp, type Stage } from './set-ups.ts';
import { leftBehind } from './store-audit.ts';

/** How often what is killed. */
interface Victims {
  /** One of our processes. */
  readonly server: number;
  /** PostgreSQL as a whole, by killing its first process. */
  readonly database: number;
  /** One of the processes PostgreSQL serves us with; it then ends all others and recovers. */
  readonly backend: number;
}

interface Numbers {
  readonly browsers: number;
  readonly victims: Readonly<Record<SetUp, Victims>>;
}

const LONGEST_LIFE_MS = 400;
/** Answers without which nothing is at stake. */
const BETWEEN_KILLS = 10;

export const kills = part<Numbers>({
  name: 'kills',
  promise: 'kill -9 under load: nothing acknowledged is lost, nothing used or ended returns',
  setUps: ALL,
  inShort: ['file', 'cluster'],
  short: {
    browsers: 4,
    victims: {
      file: { server: 3, database: 0, backend: 0 },
      database: { server: 2, database: 1, backend: 2 },
      cluster: { server: 2, database: 1, backend: 1 },
    },
  },
  full: {
    browsers: 4,
    victims: {
      file: { server: 100, database: 0, backend: 0 },
      database: { server: 24, database: 13, backend: 13 },
      cluster: { server: 24, database: 13, backend: 13 },
    },
  },
  async prove({ setUp, seed, databases, open }, { browsers, victims }) {
    const stage = await open({ people: browsers, clients: 9, env: LONG_LIVED });
    const gate = new Gate();
    const load = new Load(stage, { seed, browsers, ready: () => gate.passed });
    let killing = true;
    const working = load.until(() => !killing);
    working.catch(() => {});
    const killer = new Killer(stage, gate, setUp === 'file' ? undefined : await databases());
    const random = randomFrom(seed);
    const list = Object.entries(victims[setUp]).flatMap(([victim, times]) =>
      Array<keyof Victims>(times).fill(victim as keyof Victims),
    );
    for (const victim of shuffled(list, random)) {
      const before = load.acknowledged;
      await until(() => load.acknowledged >= before + BETWEEN_KILLS);
      await pause(random() * LONGEST_LIFE_MS);
      await killer[victim](random);
    }
    await pause(LONGEST_LIFE_MS);
    killing = false;
    await working;
    const rows = await leftBehind(stage);
    await load.audit();
    return [accounted(list.length, check(load.families), stage), rows];
  },
});

function accounted(count: number, verdict: ReturnType<typeof check>, stage: Stage): Finding {
  return {
    fact: 'kill -9 under load',
    figure: `${count} kills; ${inWords(verdict)}`,
    // A run in which hardly anything happened shows nothing.
    held: verdict.found.length === 0 && verdict.acknowledged > 10 * count,
    detail: [told(verdict), ...stage.errors().slice(0, 20)].join('\n'),
  };
}

class Killer implements Record<keyof Victims, (random: () => number) => Promise<void>> {
  readonly #stage: Stage;
  readonly #gate: Gate;
  readonly #databases: DatabaseServer | undefined;

  constructor(stage: Stage, gate: Gate, databases: DatabaseServer | undefined) {
    this.#stage = stage;
    this.#gate = gate;
    this.#databases = databases;
  }

  async server(random: () => number): Promise<void> {
    const { servers } = this.#stage;
    const alone = servers.length === 1;
    const victim = servers[Math.floor(random() * servers.length)]!;
    const again = async () => {
      await victim.kill();
      await this.#stage.start();
    };
    await (alone ? this.#gate.shutWhile(again) : again());
  }

  database(): Promise<void> {
    return this.#gate.shutWhile(() => this.#databases!.crash());
  }

  async backend(random: () => number): Promise<void> {
    const { database } = this.#stage;
    const { rows } = await database!.query(
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'postern' AND datname = current_database() ORDER BY state = 'active' DESC, pid`,
    );
    const victim = rows[Math.floor(random() ** 2 * rows.length)] as { pid: number } | undefined;
    if (!victim) return;
    await this.#gate.shutWhile(async () => {
      process.kill(victim.pid, 'SIGKILL');
      await this.#databases!.answers();
    });
  }
}

function shuffled<V>(list: readonly V[], random: () => number): V[] {
  const left = [...list];
  return list.map(() => left.splice(Math.floor(random() * left.length), 1)[0]!);
}
