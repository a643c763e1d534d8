import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Store } from '../store/index.ts';
import { requestMetrics } from './request-metrics.ts';

/** How a sign-in ended. */
export type SignInOutcome = 'succeeded' | 'wrong' | 'limited' | 'abandoned' | 'upstream_failed';

export type Metrics = ReturnType<typeof createMetrics>;

const GRANTS = new Set(['authorization_code', 'refresh_token', 'client_credentials', 'password', 'device_code']);

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * What is counted and measured. Every label takes its values from a list in the code, so that nobody outside can make a
 * new series. The event loop's lag is among prom-client's own (`nodejs_eventloop_lag_*`).
 */
export function createMetrics({ store }: { readonly store: Pick<Store, 'stats'> }) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const tokens = new Counter({
    name: 'postern_tokens_issued_total',
    help: 'Successful token requests by grant type.',
    labelNames: ['grant'] as const,
    registers,
  });
  const signIns = new Counter({
    name: 'postern_sign_ins_total',
    help: 'Attempts at the sign-in form by how they ended.',
    labelNames: ['outcome'] as const,
    registers,
  });
  const commits = new Histogram({
    name: 'postern_store_commit_duration_seconds',
    help: 'Time until a commit was durable.',
    buckets: SECONDS,
    registers,
  });
  const rows = new Gauge({
    name: 'postern_store_rows',
    help: 'Rows kept, expired ones that are not yet swept included.',
    labelNames: ['table'] as const,
    // Of several processes each tells of the same store.
    aggregator: 'max',
    registers,
  });
  const bytes = new Gauge({
    name: 'postern_store_bytes',
    help: 'Size of the store.',
    aggregator: 'max',
    registers,
  });
  const writable = new Gauge({
    name: 'postern_store_writable',
    help: '1 while the store can make changes durable, 0 once it cannot; of several, the least.',
    aggregator: 'min',
    registers,
  });

  async function readStore(): Promise<void> {
    try {
      const stats = await store.stats();
      for (const [table, count] of Object.entries(stats.rows)) rows.set({ table }, count);
      bytes.set(stats.bytes);
      writable.set(stats.writable ? 1 : 0);
    } catch {
      // The scrape must not fail because the store does: it is then that somebody looks at it.
      writable.set(0);
    }
  }

  return {
    answered: requestMetrics({ registry, buckets: SECONDS }),
    /** A token request succeeded; a grant type that is not ours counts as `other`. */
    tokenIssued(grantType: string): void {
      const grant = grantType.replace('urn:ietf:params:oauth:grant-type:', '');
      tokens.inc({ grant: GRANTS.has(grant) ? grant : 'other' });
    },
    signIn: (outcome: SignInOutcome): void => signIns.inc({ outcome }),
    /** A commit took this many seconds to be durable. */
    observeCommit: (seconds: number): void => commits.observe(seconds),
    /** Everything, for whoever adds up several processes. */
    async sample() {
      await readStore();
      return registry.getMetricsAsJSON();
    },
    /** Everything, in Prometheus' text format. */
    async render(): Promise<{ type: string; text: string }> {
      await readStore();
      return { type: registry.contentType, text: await registry.metrics() };
    },
  };
}
