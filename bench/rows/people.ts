import { BOTH, besideBoth, besideOne, type Cores, helper, ONE } from '../cores.ts';
import { limits } from '../limits.ts';
import { load } from '../loads.ts';
import { interleave } from '../measure.ts';
import { deploy, run, signIn } from '../postern.ts';
import { bareRefreshing, CLIENTS, codeFlow, refreshing, SCOPE, SIGNATURES } from '../requests.ts';
import { count, perSecond, share } from '../table.ts';
import type { Row } from './row.ts';

interface Where {
  readonly name: string;
  readonly words: string;
  readonly cores: Cores;
  readonly beside: Cores;
  /** One that signs on each. */
  readonly signers: readonly Cores[];
}

interface Work {
  readonly name: string;
  readonly words: string;
  /** What has so many signatures. */
  readonly per: string;
  /** People who are at it at the same time: as many as it takes until nothing idles. */
  readonly atOnce: number;
  readonly goal: number;
  readonly script: typeof refreshing | typeof codeFlow;
  /** The same of children/bare-tokens.ts, where there is one. */
  readonly plain?: typeof bareRefreshing;
}

const oneCore: Where = { name: 'one-core', words: 'one core', cores: ONE, beside: besideOne, signers: [ONE] };
const bothCores: Where = {
  name: 'both-cores',
  words: 'both cores, the load on them too',
  cores: BOTH,
  beside: besideBoth,
  signers: ['0', '1'],
};

/** V8 goes on compiling for the first 20,000 or so: a server that has been at it all day has that behind it. */
const WARM_UP = 30;

/** The least a server could do for the same. */
async function begin(plain: ReturnType<typeof helper>, { plain: script, atOnce }: Work, folder: string) {
  const served = await plain.ask<{ url: string; tokens: string[] }>({ ask: 'serve', folder, people: atOnce });
  return { url: served.url, script: script!(served.tokens) };
}

const durable = (work: Work, { name, words, cores, beside, signers }: Where): Row => ({
  name: `${work.name}-${name}`,
  async measure() {
    const deployment = await deploy({ people: work.atOnce });
    const postern = await run(deployment, cores);
    const signing = limits(...signers);
    const asking = load(beside);
    const plain = work.plain && helper('bare-tokens', cores);
    try {
      const signed = await signIn(deployment, SCOPE);
      await asking.keep(work.name, work.script(deployment, signed));
      await asking.closed(work.name, postern.url, WARM_UP, work.atOnce);
      const least = plain && (await begin(plain, work, deployment.folder));
      if (least) {
        await asking.keep('plain', least.script);
        await asking.closed('plain', least.url, WARM_UP, work.atOnce);
      }
      const { limit, work: done } = await interleave(6, async () => (await signing.rsa(1, asking)) / SIGNATURES, {
        postern: () => asking.closed(work.name, postern.url, 2, work.atOnce),
        ...(least && { plain: () => asking.closed('plain', least.url, 2, work.atOnce) }),
      });
      const syncs = await signing.fdatasync(1, deployment.folder);
      return [
        {
          work: `${work.words}, ${words}`,
          limit: `RSA-2048 ÷ ${SIGNATURES} signatures per ${work.per} = ${perSecond(limit)} (fdatasync ${count(syncs)}/s)${done['plain'] ? `; node:http with jose and a journal alone ${share(done['plain'])}` : ''}`,
          postern: share(done['postern']!),
          goal: `≥ ${work.goal * 100} %`,
          reached: done['postern']!.share.median >= work.goal,
        },
      ];
    } finally {
      await Promise.all([asking.stop(), signing.stop(), postern.stop(), plain?.stop()]);
      deployment.remove();
    }
  },
});

const refresh: Work = {
  name: 'refresh',
  words: 'refresh with rotation, durable, file store, 32 clients',
  per: 'answer',
  atOnce: CLIENTS,
  goal: 0.6,
  script: refreshing,
  plain: bareRefreshing,
};

const code: Work = {
  name: 'code',
  words: 'authorization code + PKCE of a signed-in person, durable, 128 clients',
  per: 'flow',
  atOnce: 128,
  goal: 0.4,
  script: codeFlow,
};

export const people: readonly Row[] = [refresh, code].flatMap((work) => [
  durable(work, oneCore),
  durable(work, bothCores),
]);
