import { execFileSync } from 'node:child_process';
import { freePort } from '../../test/support/free-port.ts';
import { startDatabaseServer } from '../../test/support/postgres.ts';
import { BOTH, type Cores, ONE } from '../cores.ts';
import { limits } from '../limits.ts';
import { load } from '../loads.ts';
import { interleave } from '../measure.ts';
import { deploy, run, signIn } from '../postern.ts';
import { CLIENTS, refreshing, SCOPE, SIGNATURES } from '../requests.ts';
import { perSecond, spread } from '../table.ts';
import type { Row } from './row.ts';

/** Moves a process, its threads and its children to these cores. */
function pin(pid: number, cores: Cores): void {
  const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' }).split(/\s+/);
  for (const each of [String(pid), ...children.filter(Boolean)])
    execFileSync('taskset', ['-acp', cores, each], { stdio: 'ignore' });
}

const PROCESSES = 3;

/** As many for each process as the other rows have: shared by three, theirs left each with too few to commit together. */
const ASKING = PROCESSES * CLIENTS;

/**
 * Everything that takes part (the processes, PostgreSQL with fsync on, the load) on one core with one process, then on two
 * with three.
 */
const scaling: Row = {
  name: 'processes',
  async measure() {
    const database = await startDatabaseServer({ durable: true });
    const { url } = await database.create();
    const deployment = await deploy({ people: 2 * ASKING, env: { POSTERN_DATABASE_URL: url } });
    const [signing, signingOnOne] = [limits('0', '1'), limits(ONE)];
    const one = await run(deployment, ONE);
    const three = [];
    for (let i = 0; i < PROCESSES; i += 1)
      three.push(await run(deployment, BOTH, { POSTERN_PORT: String(await freePort()) }));
    const [narrow, wide] = [load(ONE), load(BOTH)];
    const signed = await signIn(deployment, SCOPE);
    const part = (from: number) => ({ ...signed, tokens: signed.tokens.slice(from, from + ASKING) });
    await narrow.keep('refresh', refreshing(deployment, part(0)));
    await wide.keep('refresh', refreshing(deployment, part(ASKING)));
    const onOne = (seconds = 3) => {
      pin(database.pid, ONE);
      return narrow.closed('refresh', one.url, seconds, ASKING);
    };
    const urls = three.map((process) => process.url);
    const onBoth = (seconds = 3) => {
      pin(database.pid, BOTH);
      return wide.closed('refresh', urls, seconds, ASKING);
    };
    try {
      // Until V8 has compiled what there is (people.ts). Each of the three has a third of the requests to warm up by.
      await onOne(40);
      await onBoth(100);
      const { limit, work } = await interleave(8, onOne, { both: onBoth });
      const { rate, share } = work['both']!;
      const most = await signing.rsa(2);
      const scales = most / (await signingOnOne.rsa(2));
      return [
        {
          work: `PostgreSQL, refresh, ${ASKING} clients: three processes on two cores ÷ one on one (database and load on them too)`,
          limit: `one core: ${perSecond(limit)}; signing alone: ${scales.toFixed(2)} ×`,
          postern: `${perSecond(rate)} = ${spread(share, '×', 2)}, ${Math.round((rate.median / most) * SIGNATURES * 100)} % of RSA ÷ ${SIGNATURES}`,
          goal: '≥ 1.6 ×',
          reached: share.median >= 1.6,
        },
      ];
    } finally {
      await Promise.all([narrow.stop(), wide.stop(), signing.stop(), signingOnOne.stop()]);
      await Promise.all([one, ...three].map((process) => process.stop()));
      await database.remove();
      deployment.remove();
    }
  },
};

export const processes: readonly Row[] = [scaling];
