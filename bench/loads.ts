import type { Measured } from './closed-loop.ts';
import { besideOne, type Cores, helper } from './cores.ts';
import type { Latencies } from './open-loop.ts';
import type { Script } from './scripts.ts';

/** A second process that asks. What fails, fails the bench: a refusal is quickly given and would look fast. */
export interface Load {
  keep(name: string, script: Script): Promise<void>;
  /** Answers per second of so many connections that each ask again as soon as they were answered. */
  closed(script: string, urls: string | readonly string[], seconds: number, connections?: number): Promise<number>;
  /** Times of requests that come at a fixed rate. */
  open(script: Script & { kind: 'same' }, url: string, perSecond: number, seconds: number): Promise<Latencies>;
  /**
   * Has cores of its own as busy as they are while it asks: two cores of a virtual machine are each slower than one alone.
   * Where it has none, nothing.
   */
  awake(seconds: number): Promise<void>;
  stop(): Promise<void>;
}

export function load(cores: Cores): Load {
  const child = helper('load', cores);
  const ownCores = cores === besideOne;
  return {
    async keep(name, script) {
      await child.ask({ ask: 'keep', name, script });
    },
    async closed(script, urls, seconds, connections = 32) {
      const question = { ask: 'closed', script, urls: [urls].flat(), seconds, connections, awake: ownCores };
      const { rate, answered, failed } = await child.ask<Measured>(question);
      if (failed > 0) throw new Error(`${failed} of ${answered + failed} requests (${script}) failed`);
      return rate;
    },
    async open(script, url, perSecond, seconds) {
      const times = await child.ask<Latencies>({ ask: 'open', script, url, perSecond, seconds });
      if (times.failed > 0) throw new Error(`${times.failed} of ${times.failed + times.answered} requests failed`);
      return times;
    },
    awake: async (seconds) => (ownCores ? child.ask({ ask: 'awake', seconds }) : undefined),
    stop: () => child.stop(),
  };
}
