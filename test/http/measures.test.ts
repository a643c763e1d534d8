import test from 'ava';
import { Counter, Histogram, type Metric, Registry } from 'prom-client';
import { Counted, type Measure, Timed } from '../../src/http/measures.ts';

/** In Prometheus' text format. */
const told = (measure: Measure): Promise<string> => {
  const registry = new Registry();
  const { name, help, type, aggregator } = measure;
  registry.registerMetric({
    name,
    get: async () => ({ name, help, type, aggregator, values: measure.lines() }),
  } as never);
  return registry.metrics();
};

const asPromClient = async (metric: Metric): Promise<string> => {
  const registry = new Registry();
  registry.registerMetric(metric);
  return registry.metrics();
};

test('what is counted is told as prom-client would tell it', async (t) => {
  const ours = new Counted('n', 'Things.', ['kind', 'end']);
  const theirs = new Counter({ name: 'n', help: 'Things.', labelNames: ['kind', 'end'], registers: [] });
  for (const [kind, end] of [
    ['a', 'x'],
    ['a', 'y'],
    ['b', 'x'],
    ['a', 'x'],
  ] as const) {
    ours.add(kind, end);
    theirs.inc({ kind, end });
  }
  t.is(await told(ours), await asPromClient(theirs));
});

test('what was timed falls into the buckets prom-client would put it in, bounds and beyond included', async (t) => {
  const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
  const ours = new Timed('s', 'Seconds.', 'what');
  const theirs = new Histogram({ name: 's', help: 'Seconds.', labelNames: ['what'], buckets, registers: [] });
  for (const what of ['one', 'other'])
    for (const seconds of [0, 0.0004, ...buckets, 0.3, 11, 0]) {
      ours.add(seconds, what);
      theirs.observe({ what }, seconds);
    }
  t.is(await told(ours), await asPromClient(theirs));
});
