/** A rehearsal's store tells of its own rows as the store it lies beside tells of its rows (src/store/aside.ts). */
import test from 'ava';
import { aside } from '../../src/store/index.ts';
import { memoryStore } from '../support/memory-store.ts';

const resource = (createdAt: number) => ({ scopes: [], revocable: false, createdAt });

test('whether rows are as they were seen is said of those put aside and of those beside', async (t) => {
  const store = memoryStore();
  const own = aside(store, Date.now);
  await store.commit([{ put: 'resources', id: 'theirs', record: resource(0) }]);
  await own.commit([{ put: 'resources', id: 'ours', record: resource(0) }]);
  const see = async (id: string) =>
    ({ table: 'resources', id, version: (await own.get('resources', id))?.version }) as const;
  const [theirs, ours, none] = [await see('theirs'), await see('ours'), await see('none')];
  t.truthy(theirs.version);
  t.truthy(ours.version);
  t.true(own.unchanged([theirs, ours, none]));
  await own.commit([{ put: 'resources', id: 'ours', record: resource(1) }]);
  t.false(own.unchanged([theirs, ours]));
  t.true(own.unchanged([theirs, none]));
  await store.commit([{ put: 'resources', id: 'theirs', record: resource(1) }]);
  t.false(own.unchanged([theirs]));
  t.is(await store.get('resources', 'ours'), undefined);
});
