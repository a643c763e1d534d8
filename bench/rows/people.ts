import { BOTH, besideBoth } from '../cores.ts';
import { limits } from '../limits.ts';
import { load } from '../loads.ts';
import { interleave } from '../measure.ts';
import { deploy, run, signIn } from '../postern.ts';
import { CLIENTS, codeFlow, refreshing, SCOPE, SIGNATURES } from '../requests.ts';
import { count, perSecond, share } from '../table.ts';
import type { Row } from './row.ts';

const durable = (
  name: string,
  work: string,
  per: string,
  goal: number,
  script: typeof refreshing | typeof codeFlow,
): Row => ({
  name,
  async measure() {
    const deployment = await deploy({ people: CLIENTS });
    const postern = await run(deployment, BOTH);
    const signing = limits('0', '1');
    const asking = load(besideBoth);
    try {
      const signed = await signIn(deployment, SCOPE);
      await asking.keep(name, script(deployment, signed));
      await asking.closed(name, postern.url, 4, CLIENTS);
      const { limit, work: done } = await interleave(6, async () => (await signing.rsa(1)) / SIGNATURES, {
        postern: () => asking.closed(name, postern.url, 2, CLIENTS),
      });
      const syncs = await signing.fdatasync(1, deployment.folder);
      return [
        {
          work,
          limit: `RSA-2048 ÷ ${SIGNATURES} signatures per ${per} = ${perSecond(limit)} (fdatasync ${count(syncs)}/s)`,
          postern: share(done['postern']!),
          goal: `≥ ${goal * 100} %`,
          reached: done['postern']!.share.median >= goal,
        },
      ];
    } finally {
      await Promise.all([asking.stop(), signing.stop(), postern.stop()]);
      deployment.remove();
    }
  },
});

export const people: readonly Row[] = [
  durable('refresh', 'refresh with rotation, durable, file store, 32 clients', 'answer', 0.6, refreshing),
  durable('code', 'authorization code + PKCE of a signed-in person, durable', 'flow', 0.4, codeFlow),
];
