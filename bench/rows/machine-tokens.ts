import { BOTH, besideBoth, besideOne, type Cores, helper, ONE } from '../cores.ts';
import { limits } from '../limits.ts';
import { load } from '../loads.ts';
import { figure, interleave } from '../measure.ts';
import { deploy, run } from '../postern.ts';
import { bareMachineToken, machineToken } from '../requests.ts';
import { type Line, perSecond, share, spread } from '../table.ts';
import type { Row } from './row.ts';

/** Both servers and the least one could do, warm, with a load that knows them. */
async function all(cores: Cores, beside: Cores) {
  const deployment = await deploy();
  const postern = await run(deployment, cores);
  const engine = helper('bare-engine', cores);
  const engineUrl = await engine.ask<string>({ ask: 'serve' });
  const plain = helper('bare-tokens', cores);
  const { url: plainUrl } = await plain.ask<{ url: string }>({ ask: 'serve' });
  const asking = load(beside);
  await asking.keep('postern', machineToken(deployment));
  await asking.keep('bare', bareMachineToken);
  await asking.closed('postern', postern.url, 10);
  await asking.closed('bare', engineUrl, 10);
  await asking.closed('bare', plainUrl, 10);
  return {
    deployment,
    asking,
    posternUrl: postern.url,
    engineUrl,
    plainUrl,
    async stop() {
      await Promise.all([asking.stop(), postern.stop(), engine.stop(), plain.stop()]);
      deployment.remove();
    },
  };
}

async function rate(
  cores: Cores,
  beside: Cores,
  signers: readonly Cores[],
  words: string,
  goal: number,
): Promise<Line> {
  const signing = limits(...signers);
  const { asking, posternUrl, engineUrl, plainUrl, stop } = await all(cores, beside);
  try {
    const { limit, work } = await interleave(5, () => signing.rsa(1, asking), {
      postern: () => asking.closed('postern', posternUrl, 2),
      bare: () => asking.closed('bare', engineUrl, 2),
      plain: () => asking.closed('bare', plainUrl, 2),
    });
    return {
      work: `client credentials → RS256 JWT, ${words}`,
      limit: `RSA-2048 ${perSecond(limit)}; node:http with jose alone ${share(work['plain']!)}`,
      bare: share(work['bare']!),
      postern: share(work['postern']!),
      goal: `≥ ${goal * 100} %`,
      reached: work['postern']!.share.median >= goal,
    };
  } finally {
    await Promise.all([signing.stop(), stop()]);
  }
}

const oneCore: Row = {
  name: 'client-credentials-one-core',
  measure: async () => [await rate(ONE, besideOne, [ONE], 'one core', 0.85)],
};

const bothCores: Row = {
  name: 'client-credentials-both-cores',
  measure: async () => [
    await rate(BOTH, besideBoth, ['0', '1'], 'one process, both cores, the load on them too', 0.78),
  ],
};

const latency: Row = {
  name: 'client-credentials-latency',
  async measure() {
    const signing = limits(ONE);
    const { deployment, asking, posternUrl, engineUrl, stop } = await all(ONE, besideOne);
    try {
      const third = Math.floor((await signing.rsa(2)) / 3);
      const times: Record<'postern' | 'bare', number[]> = { postern: [], bare: [] };
      // In its first ten seconds a process has stalls that it has not later, and that no collection explains. After them.
      await asking.open(machineToken(deployment), posternUrl, third, 12);
      await asking.open(bareMachineToken, engineUrl, third, 12);
      for (let round = 0; round < 5; round += 1) {
        times.postern.push((await asking.open(machineToken(deployment), posternUrl, third, 3)).p99);
        times.bare.push((await asking.open(bareMachineToken, engineUrl, third, 3)).p99);
      }
      const postern = figure(times.postern);
      return [
        {
          work: 'client credentials, p99 at a third of the limit, open loop',
          limit: `RSA-2048 ÷ 3 = ${third}/s`,
          bare: spread(figure(times.bare), 'ms'),
          postern: spread(postern, 'ms'),
          goal: '≤ 5 ms',
          reached: postern.median <= 5,
        },
      ];
    } finally {
      await Promise.all([signing.stop(), stop()]);
    }
  },
};

const firstSecond: Row = {
  name: 'client-credentials-first-second',
  async measure() {
    const deployment = await deploy();
    const asking = load(besideOne);
    await asking.keep('postern', machineToken(deployment));
    await asking.keep('bare', bareMachineToken);
    /** The first second of a process, over what it does once warm. */
    const early = async (script: string, begin: () => Promise<{ url: string; stop(): Promise<void> }>) => {
      const { url, stop } = await begin();
      const first = await asking.closed(script, url, 1);
      await asking.closed(script, url, 3);
      const steady = await asking.closed(script, url, 2);
      await stop();
      return first / steady;
    };
    const postern = () => run(deployment, ONE);
    const bare = async () => {
      const engine = helper('bare-engine', ONE);
      return { url: await engine.ask<string>({ ask: 'serve' }), stop: () => engine.stop() };
    };
    try {
      // The load's own first second is not what is measured.
      await early('postern', postern);
      const shares: Record<'postern' | 'bare', number[]> = { postern: [], bare: [] };
      for (let round = 0; round < 3; round += 1) {
        shares.postern.push(await early('postern', postern));
        shares.bare.push(await early('bare', bare));
      }
      const of = (values: number[]) => spread(figure(values.map((value) => value * 100)), '%', 0);
      return [
        {
          work: 'client credentials, the first second after start, one core',
          limit: 'its own steady rate',
          bare: of(shares.bare),
          postern: of(shares.postern),
          goal: '≥ 90 %',
          reached: figure(shares.postern).median >= 0.9,
        },
      ];
    } finally {
      await asking.stop();
      deployment.remove();
    }
  },
};

export const machineTokens: readonly Row[] = [oneCore, bothCores, latency, firstSecond];
