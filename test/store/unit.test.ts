import test from 'ava';
import { type Change, type Store, StoreConflict, StoreUnavailable, UnitOfWork } from '../../src/store/index.ts';

/** A store that refuses the first commits for a row that somebody else was first with, and then dies after so many more. */
function storeThat({ taken, diesAfter }: { taken: readonly string[]; diesAfter: number }) {
  const kept: Change[][] = [];
  const conflicts = [...taken];
  const commit = async (changes: readonly Change[]): Promise<void> => {
    const lost = changes.find(({ id }) => conflicts.includes(id));
    if (lost) throw new StoreConflict('sessions', lost.id);
    if (kept.length === diesAfter) throw new StoreUnavailable('it died');
    kept.push([...changes]);
  };
  return { kept, store: { commit, get: async () => undefined } as unknown as Store };
}

test('of a request that was overtaken, what is urgent is kept together or not at all, whenever the store dies', async (t) => {
  for (const diesAfter of [0, 1]) {
    const { kept, store } = storeThat({ taken: ['changed', 'changed too'], diesAfter });
    const unit = new UnitOfWork(store);
    for (const id of ['changed', 'one', 'changed too', 'other']) unit.remove('sessions', id, { urgent: true });
    unit.remove('interactions', 'not urgent');
    await t.throwsAsync(unit.commit(), { instanceOf: diesAfter ? StoreConflict : StoreUnavailable });
    t.deepEqual(
      kept.map((changes) => changes.map(({ id }) => id)),
      diesAfter ? [['one', 'other']] : [],
    );
  }
});
