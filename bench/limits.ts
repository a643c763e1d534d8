import { helper } from './cores.ts';

/** The machine's own limits on some cores, measured by one process on each. */
export interface Limits {
  /** RSA-2048 signatures per second, of all these cores together. */
  rsa(seconds: number): Promise<number>;
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
    rsa: (seconds) => together({ ask: 'rsa', seconds }),
    argon2: (seconds) => together({ ask: 'argon2', seconds }),
    fdatasync: (seconds, folder) => each[0]!.ask({ ask: 'fdatasync', seconds, folder }),
    async stop() {
      await Promise.all(each.map((child) => child.stop()));
    },
  };
}
