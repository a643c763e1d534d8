import type { DatabaseServer } from '../support/postgres.ts';
import { openStage, type SetUp, type Stage } from './set-ups.ts';

/** What a run found out about one fact. */
export interface Finding {
  readonly fact: string;
  /** In a few words, for a table. */
  readonly figure: string;
  readonly held: boolean;
  /** Whatever helps where it did not hold. */
  readonly detail?: string;
}

type StageOptions = Omit<Parameters<typeof openStage>[1], 'databases'>;

/** Where a part is proven. What it opens is closed when the part is over. */
export interface Ground {
  readonly setUp: SetUp;
  readonly seed: number;
  readonly databases: () => Promise<DatabaseServer>;
  readonly say: (text: string) => void;
  readonly open: (options?: StageOptions) => Promise<Stage>;
}

/** One of the things that are promised, with the numbers it is shown in: a few at each `npm cit`, many by `npm run prove`. */
export interface Part<N = unknown> {
  readonly name: string;
  /** The promise, as a sentence. */
  readonly promise: string;
  readonly setUps: readonly SetUp[];
  /** Those it is shown on at each `npm cit`; all unless given. */
  readonly inShort?: readonly SetUp[];
  readonly short: N;
  readonly full: N;
  prove(ground: Ground, numbers: N): Promise<Finding[]>;
}

export const part = <N>(given: Part<N>): Part => given as Part;

/** Runs a part in one set-up, and lets go of everything. */
export async function prove({ prove: run }: Part, numbers: unknown, ground: Omit<Ground, 'open'>): Promise<Finding[]> {
  const opened: Stage[] = [];
  const open: Ground['open'] = async (options) => {
    const stage = await openStage(ground.setUp, { ...options, databases: ground.databases });
    opened.push(stage);
    return stage;
  };
  try {
    return await run({ ...ground, open }, numbers);
  } finally {
    for (const stage of opened) await stage.close();
  }
}

/** The one in PROVE_SEED, so that a failure can be run again, or a new one. */
export const seedOfRun = (): number => Number(process.env['PROVE_SEED'] ?? Math.floor(Math.random() * 1_000_000));
