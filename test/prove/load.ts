/** Sign-ins by the dozen, drawn from a seed, by several browsers at once. */

import { fetchCodeAtLast, newBrowser } from './calls.ts';
import type { Family } from './history/history.ts';
import { Player } from './history/player.ts';
import { type Program, programOf } from './history/programs.ts';
import type { Stage } from './set-ups.ts';

interface Options {
  readonly seed: number;
  /** People who work at the same time. */
  readonly browsers: number;
  /** Waited for before each call: while nobody can answer, nobody asks. */
  readonly ready?: () => Promise<void>;
}

/** Applications that one browser signs in to at once. */
const TABS = 3;
/** More than any set-up has sign-ins, so that two seeds have no program in common. */
const APART = 100_000;

interface Batch {
  readonly email: string;
  readonly players: readonly Player[];
  readonly programs: readonly Program[];
}

export class Load {
  readonly #stage: Stage;
  readonly #options: Options;
  readonly #players: Player[] = [];
  #begun = 0;
  /** Sign-ins that had to be begun again, and why. */
  readonly stumbles: string[] = [];

  constructor(stage: Stage, options: Options) {
    this.#stage = stage;
    this.#options = options;
  }

  get families(): Family[] {
    return this.#players.map(({ recorder }) => recorder.family);
  }

  /** Calls that were answered. */
  get acknowledged(): number {
    return this.#players.reduce((sum, { recorder }) => sum + recorder.acknowledged, 0);
  }

  /** `count` sign-ins in rounds; in each, when all did what they did, the window passes, and they go on. */
  async rounds(count: number, passWindow: () => Promise<void>): Promise<void> {
    const { browsers } = this.#options;
    while (this.#players.length < count) {
      const batches = await Promise.all(Array.from({ length: browsers }, (_, who) => this.#begin(who)));
      const all = batches.flatMap(({ players, programs }) =>
        players.map((player, i) => ({ player, program: programs[i]! })),
      );
      await Promise.all(all.map(({ player, program }) => player.play(program.steps)));
      await passWindow();
      for (const { player } of all) player.waited();
      await Promise.all(all.map(({ player, program }) => player.play(program.later)));
      await Promise.all(all.map(({ player }) => player.audit()));
      for (const { email } of batches) await this.#stage.operate('user.enable', { user: email });
    }
  }

  /** On and on until it is told to stop. */
  async until(stopped: () => boolean): Promise<void> {
    const one = async (who: number): Promise<void> => {
      while (!stopped()) {
        const { players, programs } = await this.#begin(who);
        await Promise.all(players.map((player, i) => player.play(calm(programs[i]!).steps)));
      }
    };
    await Promise.all(Array.from({ length: this.#options.browsers }, (_, who) => one(who)));
  }

  /** Asks about every sign-in there was. */
  async audit(): Promise<void> {
    const queue = [...this.#players];
    const one = async (): Promise<void> => {
      for (let player = queue.pop(); player; player = queue.pop()) await player.audit();
    };
    await Promise.all(Array.from({ length: 8 }, one));
  }

  async #begin(who: number): Promise<Batch> {
    const { issuer, people, clients } = this.#stage;
    const { email } = people[who % people.length]!;
    const browser = newBrowser(issuer, email);
    const ready = this.#options.ready ?? (async () => {});
    const numbers = Array.from({ length: TABS }, () => this.#begun++);
    const players: Player[] = [];
    for (const number of numbers) {
      await ready();
      const client = clients[number % clients.length]!;
      const code = await fetchCodeAtLast(issuer, browser, client, (why) => this.stumbles.push(why));
      const name = `${this.#options.seed}:${number}`;
      players.push(new Player({ stage: this.#stage, client, browser, code, name, ready }));
    }
    Player.together(players);
    this.#players.push(...players);
    return { email, players, programs: numbers.map((number) => programOf(this.#options.seed * APART + number)) };
  }
}

/** Without disabling anybody, who could then not sign in again. */
const calm = ({ steps, later }: Program): Program => ({
  steps: steps.filter((wishes) => wishes.every(({ do: what }) => what !== 'disable')),
  later,
});
