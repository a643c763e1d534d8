import test from 'ava';
import fc from 'fast-check';
import type { FileStore } from '../../src/store/file/index.ts';
import { type Change, type Row, type Seen, StoreConflict } from '../../src/store/index.ts';
import { folderFor, open, quick } from './folders.ts';

type Step =
  | {
      do: 'commit';
      changes: { id: string; kind: 'put' | 'remove'; expect: 'any' | 'absent' | 'current' | 'stale'; ttl: number }[];
    }
  | { do: 'wait'; ms: number }
  | { do: 'sweep' | 'compact' | 'restart' };

const ids = fc.constantFrom('a', 'b', 'c', '__proto__');
const change = fc.record({
  id: ids,
  kind: fc.constantFrom('put' as const, 'put' as const, 'remove' as const),
  expect: fc.constantFrom('any' as const, 'any' as const, 'absent' as const, 'current' as const, 'stale' as const),
  ttl: fc.constantFrom(0, 5, 50, 1000),
});
const changes = fc.uniqueArray(change, { minLength: 1, maxLength: 3, selector: ({ id }) => id });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('commit' as const), changes }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 60 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('sweep' as const, 'compact' as const, 'restart' as const) }),
  },
);

test('whatever is committed, swept, compacted and restarted, the store answers as a simple map would', async (t) => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      runs += 1;
      await new Run(await folderFor(t)).all(steps);
    }),
    { numRuns: 150 },
  );
  t.log(`${runs} runs`);
  t.pass();
});

class Run {
  #store!: FileStore;
  #now = 1_763_719_000_000;
  #count = 0;
  readonly #folder: string;
  readonly #model = new Map<string, Row<Seen>>();
  readonly #versions = new Map<string, number>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async all(steps: readonly Step[]): Promise<void> {
    await this.#open();
    try {
      for (const one of steps) {
        await this.#take(one);
        await this.#compare();
      }
    } finally {
      await this.#store.close();
    }
  }

  async #open(): Promise<void> {
    this.#store = await open(this.#folder, { clock: () => () => this.#now, files: quick });
  }

  async #take(one: Step): Promise<void> {
    if (one.do === 'commit') await this.#commit(one.changes);
    else if (one.do === 'wait') this.#now += one.ms;
    else if (one.do === 'sweep') await this.#store.sweep(this.#now);
    else if (one.do === 'compact') await this.#store.compact();
    else {
      await this.#store.close();
      await this.#open();
    }
  }

  async #commit(wanted: Extract<Step, { do: 'commit' }>['changes']): Promise<void> {
    this.#count += 1;
    const all = wanted.map(({ id, kind, expect, ttl }) => {
      const live = this.#live(id);
      const version =
        expect === 'current' ? (live?.version ?? -1) : expect === 'stale' ? (live?.version ?? 1) - 1 : undefined;
      const wish = expect === 'absent' && kind === 'put' ? ('absent' as const) : version;
      const holds = wish === undefined || (live?.version ?? 'absent') === wish;
      const expectation = wish === undefined ? {} : { expect: wish };
      const until = ttl > 0 ? { expiresAt: this.#now + ttl } : {};
      const record = { issuer: `${this.#count}` };
      const made =
        kind === 'put' ? { put: 'seen', id, record, ...until, ...expectation } : { remove: 'seen', id, ...expectation };
      return {
        holds,
        made: made as Change,
        row: kind === 'put' ? { id, version: 0, record, ...until } : undefined,
        id,
      };
    });
    const error = await this.#store.commit(all.map(({ made }) => made)).catch((reason) => reason);
    if (!all.every(({ holds }) => holds)) {
      if (!(error instanceof StoreConflict)) throw new Error(`no conflict, but ${error}`);
      return;
    }
    if (error) throw error;
    for (const { id, row } of all) {
      this.#model.delete(id);
      if (!row) continue;
      const { version } = (await this.#store.get('seen', id))!;
      if (version <= (this.#versions.get(id) ?? 0)) throw new Error(`version ${version} of ${id} returned`);
      this.#versions.set(id, version);
      this.#model.set(id, { ...row, version });
    }
  }

  async #compare(): Promise<void> {
    const expected = [...this.#model.keys()].toSorted().flatMap((id) => this.#live(id) ?? []);
    const { rows } = await this.#store.find('seen', 'all', '');
    const one = await Promise.all(expected.map(({ id }) => this.#store.get('seen', id)));
    const said = JSON.stringify([rows, one].map((list) => list.map((row) => row && canonical(row))));
    const wanted = JSON.stringify([expected, expected].map((list) => list.map(canonical)));
    if (said !== wanted) throw new Error(`the store has ${said}\nthe model ${wanted}`);
  }

  #live(id: string): Row<Seen> | undefined {
    const row = this.#model.get(id);
    return row && (row.expiresAt ?? Number.POSITIVE_INFINITY) > this.#now ? row : undefined;
  }
}

const canonical = ({ id, version, expiresAt, record }: Row<Seen>) => [id, version, expiresAt, record];
