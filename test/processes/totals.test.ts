import test from 'ava';
import { Counter, Registry } from 'prom-client';
import type { Sample } from '../../src/processes/messages.ts';
import { createTotals } from '../../src/processes/totals.ts';

/** The metrics of a worker that has counted that far. */
async function counted(n: number): Promise<Sample> {
  const registry = new Registry();
  new Counter({ name: 'answers_total', help: 'Answers.', registers: [registry] }).inc(n);
  return (await registry.getMetricsAsJSON()) as Sample;
}

test('what workers counted that end at one moment stays counted, of each', async (t) => {
  const totals = createTotals({ serving: () => 1 });
  const [living, ...gone] = await Promise.all([1, 10, 100, 1000].map(counted));
  const kept = Promise.all(gone.map((last) => totals.keep(last)));
  // Also where somebody asks at that very moment.
  t.regex((await totals.render([living!])).text, /^answers_total 1111$/m);
  await kept;
  t.regex((await totals.render([living!])).text, /^answers_total 1111$/m);
});
