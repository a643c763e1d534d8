import { helper } from './cores.ts';
import type { Load } from './loads.ts';

/** The machine's own limits on some cores, measured by one process on each. */
export interface Limits {
  /** RSA-2048 signatures per second, of all these cores together, with the cores of `beside` as busy as they will be. */
  rsa(seconds: number, beside?: Load): Promise<number>;
  /** argon2id verifications per second. */
  argon2(seconds: number): Promise<number>;
  /** Small writes per second, each on the disk of `folder` before the next. */
  fdatasync(seconds: number, folder: string): Promise<number>;
  stop(): Promise<void>;
}

export function limits(...cores: readonly string[]): Limits {
  const each = cores.map((core) => helper('limits', core));
  const together = async (question: object): Promise<number> => {
    const rates = await Promise.all(each.map((child) => child.ask<number>(question)));
    return rates.reduce((sum, rate) => sum + rate, 0);
  };
  return {
    async rsa(seconds, beside) {
      const [rate] = await Promise.all([together({ ask: 'rsa', seconds }), beside?.awake(seconds)]);
      return rate;
    },
    argon2: (seconds) => together({ ask: 'argon2', seconds }),
    fdatasync: (seconds, folder) => each[0]!.ask({ ask: 'fdatasync', seconds, folder }),
    async stop() {
      await Promise.all(each.map((child) => child.stop()));
    },
  };
}
