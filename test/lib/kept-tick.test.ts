import test from 'ava';
import { keptTick } from '../../src/lib/kept-tick.ts';

test('what is kept is what Node makes for a tick, and nothing is told of later ones', async (t) => {
  const { object } = keptTick;
  t.deepEqual(Object.keys(object!), ['callback', 'args']);
  await new Promise<void>((resolve) => process.nextTick(resolve));
  t.is(keptTick.object, object);
});
