import { BOTH, besideBoth, ONE } from '../cores.ts';
import { limits } from '../limits.ts';
import { load } from '../loads.ts';
import { figure, interleave } from '../measure.ts';
import { deploy, run } from '../postern.ts';
import { machineToken, passwordGrants } from '../requests.ts';
import { perSecond, share, spread } from '../table.ts';
import type { Row } from './row.ts';

/** Machine tokens that are asked for meanwhile. */
const MACHINES = 200;
const SIGN_INS = 8;
const WARM_UP = 12;

const passwordGrant: Row = {
  name: 'password',
  async measure() {
    const deployment = await deploy({ people: SIGN_INS });
    const postern = await run(deployment, BOTH);
    const hashing = limits(ONE);
    const [people, machines] = [load(besideBoth), load(besideBoth)];
    try {
      await people.keep('password', passwordGrants(deployment));
      const signIns = () => people.closed('password', postern.url, 3, SIGN_INS);
      // Sign-ins are few a second, so V8 has compiled what they need only after a thousand of them.
      await Promise.all([
        people.closed('password', postern.url, WARM_UP, SIGN_INS),
        machines.open(machineToken(deployment), postern.url, MACHINES, WARM_UP),
      ]);
      const late: number[] = [];
      const { limit, work } = await interleave(7, () => hashing.argon2(1.5), {
        async postern() {
          const [rate, { p99 }] = await Promise.all([
            signIns(),
            machines.open(machineToken(deployment), postern.url, MACHINES, 2.5),
          ]);
          late.push(p99);
          return rate;
        },
      });
      const p99 = figure(late);
      return [
        {
          work: `password grant, ${SIGN_INS} people at a time, hashing in what both cores have left`,
          limit: `argon2id, one core: ${perSecond(limit)}`,
          postern: share(work['postern']!),
          goal: '≥ 90 %',
          reached: work['postern']!.share.median >= 0.9,
        },
        {
          work: `machine tokens meanwhile (${MACHINES}/s, open loop), p99`,
          limit: '–',
          postern: spread(p99, 'ms'),
          goal: '≤ 10 ms',
          reached: p99.median <= 10,
        },
      ];
    } finally {
      await Promise.all([people.stop(), machines.stop(), hashing.stop(), postern.stop()]);
      deployment.remove();
    }
  },
};

export const passwords: readonly Row[] = [passwordGrant];
