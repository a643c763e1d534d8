import type { Registry } from 'prom-client';
import type { Store } from '../store/index.ts';
import type { Tell } from './answered.ts';
import { Counted, Timed } from './measures.ts';

/** How a sign-in ended. */
type SignInOutcome = 'succeeded' | 'wrong' | 'limited' | 'abandoned' | 'upstream_failed';

export type Metrics = ReturnType<typeof createMetrics>;

const GRANTS = new Set(['authorization_code', 'refresh_token', 'client_credentials', 'password', 'device_code']);

const CLASSES = ['0xx', '1xx', '2xx', '3xx', '4xx', '5xx'];

/**
 * What is counted and measured. Every label takes its values from a list in the code, so that nobody outside can make a
 * new series. It is counted in numbers of our own, of which prom-client makes text when somebody looks: its own counters
 * find and check their labels anew each time, a thirtieth of the quickest answers, and it is a tenth of all that a start
 * would load.
 */
export function createMetrics({ store }: { readonly store: Pick<Store, 'stats'> }) {
  const requests = new Counted(
    'postern_http_requests_total',
    'Requests by endpoint, status class and OAuth error code.',
    ['endpoint', 'status', 'error'],
  );
  const durations = new Timed(
    'postern_http_request_duration_seconds',
    'Time from a request to the end of its answer.',
    'endpoint',
  );
  const tokens = new Counted('postern_tokens_issued_total', 'Successful token requests by grant type.', ['grant']);
  const signIns = new Counted('postern_sign_ins_total', 'Attempts at the sign-in form by how they ended.', ['outcome']);
  const commits = new Timed('postern_store_commit_duration_seconds', 'Time until a commit was durable.');
  // Of several processes each tells of the same store.
  const rows = new Counted(
    'postern_store_rows',
    'Rows kept, expired ones that are not yet swept included.',
    ['table'],
    { type: 'gauge', aggregator: 'max' },
  );
  const bytes = new Counted('postern_store_bytes', 'Size of the store.', [], { type: 'gauge', aggregator: 'max' });
  const writable = new Counted(
    'postern_store_writable',
    '1 while the store can make changes durable, 0 once it cannot; of several, the least.',
    [],
    { type: 'gauge', aggregator: 'min' },
  );

  async function readStore(): Promise<void> {
    try {
      const stats = await store.stats();
      for (const [table, count] of Object.entries(stats.rows)) rows.set(count, table);
      bytes.set(stats.bytes);
      writable.set(stats.writable ? 1 : 0);
    } catch {
      // The scrape must not fail because the store does: it is then that somebody looks at it.
      writable.set(0);
    }
  }

  let opened: Promise<Registry> | undefined;

  /** Ours, and prom-client's own: of the process, its garbage, its event loop's lag (`nodejs_eventloop_lag_*`). */
  async function open(): Promise<Registry> {
    const { default: client } = await import('prom-client');
    const registry = new client.Registry();
    client.collectDefaultMetrics({ register: registry });
    for (const measure of [requests, durations, tokens, signIns, commits, rows, bytes, writable]) {
      const { name, help, type, aggregator } = measure;
      registry.registerMetric({
        name,
        get: async () => ({ name, help, type, aggregator, values: measure.lines() }),
      } as never);
    }
    return registry;
  }

  /** From now on prom-client measures, too: what it tells of the process begins here. */
  function begin(): Promise<Registry> {
    opened ??= open();
    return opened;
  }

  const answered: Tell = ({ endpoint, status, aborted, error = 'none', took }) => {
    const name = endpoint?.name ?? 'other';
    requests.add(name, aborted ? 'aborted' : (CLASSES[Math.floor(status / 100)] ?? 'other'), error);
    durations.add(took / 1000, name);
  };

  return {
    begin,
    /** Counts and times requests. */
    answered,
    /** A token request succeeded; a grant type that is a URN is called by its end, and one that is not ours counts as `other`. */
    tokenIssued(grantType: string): void {
      const name = grantType.slice(grantType.lastIndexOf(':') + 1);
      tokens.add(GRANTS.has(name) ? name : 'other');
    },
    signIn: (outcome: SignInOutcome): void => signIns.add(outcome),
    /** A commit took this many seconds to be durable. */
    observeCommit: (seconds: number): void => commits.add(seconds),
    /** Everything, for whoever adds up several processes. */
    async sample() {
      await readStore();
      return (await begin()).getMetricsAsJSON();
    },
    /** Everything, in Prometheus' text format. */
    async render(): Promise<{ type: string; text: string }> {
      await readStore();
      const registry = await begin();
      return { type: registry.contentType, text: await registry.metrics() };
    },
  };
}
