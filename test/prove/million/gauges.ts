import type { Running } from '../set-ups.ts';

interface Gauges {
  /** Tokens and grants in the store. */
  readonly rows: number;
  readonly megabytes: number;
  /** The longest that the event loop was late since it was read before, in milliseconds. */
  readonly lag: number;
}

const MADE = ['access_tokens', 'refresh_tokens', 'grants'];

/** What a server says of itself at /metrics. */
export async function read({ opsPort }: Running): Promise<Gauges> {
  const text = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
  const gauge = (name: string): number => {
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    if (!line) throw new Error(`no gauge ${name}`);
    return Number(line.slice(name.length + 1));
  };
  return {
    rows: MADE.reduce((sum, table) => sum + gauge(`postern_store_rows{table="${table}"}`), 0),
    megabytes: gauge('process_resident_memory_bytes') / 1e6,
    lag: gauge('nodejs_eventloop_lag_max_seconds') * 1000,
  };
}
