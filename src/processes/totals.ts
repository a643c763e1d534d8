import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client';
import type { Sample } from './messages.ts';

/** What only grows, and must not shrink when a worker ends. */
const GROWS = new Set(['counter', 'histogram']);

/** The workers' metrics as those of one server. */
export function createTotals({ serving }: { readonly serving: () => number }) {
  const own = new Registry();
  const registers = [own];
  new Gauge({
    name: 'postern_workers_serving',
    help: 'Worker processes that serve.',
    registers,
    collect() {
      this.set(serving());
    },
  });
  const deaths = new Counter({
    name: 'postern_worker_deaths_total',
    help: 'Worker processes that ended without being told to.',
    registers,
  });
  let departed: Promise<Sample> = Promise.resolve([]);

  return {
    workerDied: (): void => deaths.inc(),

    /** A worker is gone: what it counted stays counted. */
    async keep(last: Sample): Promise<void> {
      const before = departed;
      const sum = before.then((kept) => {
        const counted = last.filter(({ type }) => GROWS.has(String(type)));
        return AggregatorRegistry.aggregate([kept, counted] as object[]).getMetricsAsJSON();
      });
      // In turn: two that end at once are both in it.
      departed = sum.catch(() => before);
      await sum;
    },

    /** In Prometheus' text format. */
    async render(samples: readonly Sample[]): Promise<{ type: string; text: string }> {
      const sum = AggregatorRegistry.aggregate([...samples, await departed] as object[]);
      const text = `${await own.metrics()}${await sum.metrics()}`;
      return { type: own.contentType, text };
    },
  };
}
