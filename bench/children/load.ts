/** Load: closed (each connection asks as soon as it was answered; autocannon) or open (arrivals at a fixed rate). */
import autocannon from 'autocannon';
import { openLoop } from '../open-loop.ts';
import { type Prepared, prepare, type Script } from '../scripts.ts';
import { answer } from './answer.ts';

const scripts = new Map<string, Prepared>();

interface Closed {
  readonly urls: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  /** A script given before by {@link keep}. */
  readonly script: string;
}

/** What a load measured. */
export interface Measured {
  /** Answers of 2xx per second. */
  readonly rate: number;
  readonly answered: number;
  /** Answers that were neither 2xx nor a redirect, and connections that broke. */
  readonly failed: number;
}

async function closed({ urls, connections, seconds, script }: Closed): Promise<Measured> {
  const { requests, reset } = scripts.get(script)!;
  reset();
  let answered = 0;
  let [first, last] = [0, 0];
  let failed = 0;
  // Without a callback it is an emitter and a promise, which its types do not say.
  const options = { url: urls as never, connections, duration: seconds, sampleInt: 50, requests };
  const run = autocannon(options) as unknown as autocannon.Instance & PromiseLike<autocannon.Result>;
  run.on('response', (_client, status) => {
    if (status >= 400) failed += 1;
    if (status < 200 || status >= 300) return;
    last = performance.now();
    if (answered === 0) first = last;
    answered += 1;
  });
  const { errors } = await run;
  return { rate: ((answered - 1) / (last - first)) * 1000, answered, failed: failed + errors };
}

answer({
  keep({ name, script }: { name: string; script: Script }) {
    scripts.set(name, prepare(script));
  },
  closed,
  open: openLoop,
});
