import { randomBytes } from 'node:crypto';
import type { Server } from '../../src/server.ts';
import type { Change } from '../../src/store/index.ts';
import { besideOne, ONE } from '../cores.ts';
import { load } from '../loads.ts';
import { interleave } from '../measure.ts';
import { deploy, run, signIn } from '../postern.ts';
import { CLIENTS, refreshing, SCOPE } from '../requests.ts';
import { spread } from '../table.ts';
import type { Row } from './row.ts';

const FEW = 1_000;
const MANY = 1_000_000;

/** What so many records look like where people sign in and refresh: four tokens in five. */
const fill =
  (records: number) =>
  async (server: Server): Promise<void> => {
    const random = (bytes: number) => randomBytes(bytes).toString('base64url');
    const expiresAt = Date.now() + 7 * 24 * 3600_000;
    for (let made = 0; made < records; ) {
      const changes: Change[] = [];
      for (; changes.length < 500 && made < records; made += 5) {
        const owner = { grantId: random(32), accountId: `usr_${random(16)}`, clientId: `cli_${random(16)}` };
        const row = <T extends string>(put: T, sealed: number) =>
          ({ put, id: random(32), expiresAt, record: { sealed: random(sealed), ...owner } }) as const;
        changes.push(row('access_tokens', 320), row('access_tokens', 320), row('refresh_tokens', 420));
        changes.push(row('refresh_tokens', 420), row('grants', 240));
      }
      await server.store.commit(changes);
    }
  };

/** Two servers, one with little in its store and one with much, asked in turn. */
const growth: Row = {
  name: 'growth',
  async measure() {
    const made = [];
    for (const records of [FEW, MANY]) {
      const deployment = await deploy({ people: CLIENTS, fill: fill(records) });
      const postern = await run(deployment, ONE);
      const asking = load(besideOne);
      await asking.keep('refresh', refreshing(deployment, await signIn(deployment, SCOPE)));
      /** Refreshes in a second of the server's processor time. */
      const ask = async (seconds = 3) => {
        const before = postern.cpuSeconds();
        const rate = await asking.closed('refresh', postern.url, seconds, CLIENTS);
        return (rate * seconds) / (postern.cpuSeconds() - before);
      };
      made.push({ deployment, postern, asking, ask });
    }
    const [few, many] = made as [(typeof made)[0], (typeof made)[0]];
    try {
      await few.ask(8);
      await many.ask(8);
      const { limit, work } = await interleave(6, few.ask, { many: many.ask });
      const { low, median, high } = work['many']!.share;
      const cost = { low: 1 / high, median: 1 / median, high: 1 / low };
      return [
        {
          work: 'processor time of a refresh at 1 M live records ÷ at 1 k, one core',
          limit: `at 1 k: ${(1000 / limit.median).toFixed(2)} ms`,
          postern: `${spread(cost, '×', 2)}, ${Math.round(many.postern.megabytes())} MB`,
          goal: '≤ 1.15',
          reached: cost.median <= 1.15,
        },
      ];
    } finally {
      for (const { asking, postern, deployment } of made) {
        await asking.stop();
        await postern.stop();
        deployment.remove();
      }
    }
  },
};

export const growing: readonly Row[] = [growth];
