import type { Registry } from 'prom-client';
import type { Tell } from './answered.ts';

interface Options {
  readonly registry: Registry;
  /** Upper bounds of the histogram, in seconds. */
  readonly buckets: readonly number[];
}

type Labels = Readonly<Record<string, string | number>>;

/** One line of a metric, as prom-client reads it when somebody looks. */
interface Line {
  readonly labels: Labels;
  readonly value: number;
  readonly metricName?: string;
}

const REQUESTS = 'postern_http_requests_total';
const DURATIONS = 'postern_http_request_duration_seconds';
const CLASSES = ['0xx', '1xx', '2xx', '3xx', '4xx', '5xx'];

/** The requests to one endpoint. */
class Counted {
  readonly #endpoint: string;
  readonly #bounds: readonly number[];
  readonly #requests = new Map<string, { readonly labels: Labels; value: number }>();
  /** How many took longer than the bound before and no longer than theirs; those behind the last bound are the last. */
  readonly #took: Float64Array;
  #seconds = 0;

  constructor(endpoint: string, bounds: readonly number[]) {
    this.#endpoint = endpoint;
    this.#bounds = bounds;
    this.#took = new Float64Array(bounds.length + 1);
  }

  add(status: string, error: string, seconds: number): void {
    const key = `${status} ${error}`;
    const line = this.#requests.get(key);
    if (line) line.value += 1;
    else this.#requests.set(key, { labels: { endpoint: this.#endpoint, status, error }, value: 1 });
    let at = 0;
    while (at < this.#bounds.length && seconds > this.#bounds[at]!) at += 1;
    this.#took[at]! += 1;
    this.#seconds += seconds;
  }

  requests(): Line[] {
    return [...this.#requests.values()].map((line) => ({ ...line }));
  }

  durations(): Line[] {
    const labels = { endpoint: this.#endpoint };
    let count = 0;
    const buckets = [...this.#bounds, '+Inf'].map((le, at) => {
      count += this.#took[at]!;
      return { metricName: `${DURATIONS}_bucket`, labels: { le, ...labels }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${DURATIONS}_sum`, labels, value: this.#seconds },
      { metricName: `${DURATIONS}_count`, labels, value: count },
    ];
  }
}

/**
 * Counts and times every request, and tells prom-client only when somebody looks: its own counters find and check their
 * labels anew each time, which is a thirtieth of what the quickest answers cost.
 */
export function requestMetrics({ registry, buckets }: Options): Tell {
  const endpoints = new Map<string, Counted>();

  function countedAt(endpoint: string): Counted {
    const known = endpoints.get(endpoint);
    if (known) return known;
    const counted = new Counted(endpoint, buckets);
    endpoints.set(endpoint, counted);
    return counted;
  }

  const register = (name: string, help: string, type: string, lines: (of: Counted) => Line[]): void =>
    registry.registerMetric({
      name,
      get: async () => ({ name, help, type, aggregator: 'sum', values: [...endpoints.values()].flatMap(lines) }),
    } as never);
  register(REQUESTS, 'Requests by endpoint, status class and OAuth error code.', 'counter', (of) => of.requests());
  register(DURATIONS, 'Time from a request to the end of its answer.', 'histogram', (of) => of.durations());

  return ({ endpoint, status, aborted, error = 'none', took }) =>
    countedAt(endpoint?.name ?? 'other').add(
      aborted ? 'aborted' : (CLASSES[Math.floor(status / 100)] ?? 'other'),
      error,
      took / 1000,
    );
}
