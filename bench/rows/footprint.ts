import { setTimeout as pause } from 'node:timers/promises';
import { besideOne, helper, ONE } from '../cores.ts';
import { load } from '../loads.ts';
import { figure } from '../measure.ts';
import { deploy, run } from '../postern.ts';
import { bareMachineToken, machineToken } from '../requests.ts';
import { count, spread } from '../table.ts';
import type { Row } from './row.ts';

const TOKENS = 100_000;

const footprint: Row = {
  name: 'footprint',
  async measure() {
    const deployment = await deploy();
    const asking = load(besideOne);
    await asking.keep('postern', machineToken(deployment));
    await asking.keep('bare', bareMachineToken);
    const issue = async (script: string, url: string) => {
      for (let issued = 0; issued < TOKENS; ) issued += (await asking.closed(script, url, 5)) * 5;
    };
    const starts: number[] = [];
    const idle: number[] = [];
    let after = 0;
    const engine = helper('bare-engine', ONE);
    try {
      for (let round = 0; round < 5; round += 1) {
        const postern = await run(deployment, ONE);
        starts.push(postern.firstAnswer);
        await pause(3000);
        idle.push(postern.megabytes());
        if (round === 4) {
          await issue('postern', postern.url);
          after = postern.megabytes();
        }
        await postern.stop();
      }
      const engineUrl = await engine.ask<string>({ ask: 'serve' });
      await pause(3000);
      const engineIdle = engine.megabytes();
      await issue('bare', engineUrl);
      const [start, memory] = [figure(starts.map((ms) => ms / 1000)), figure(idle)];
      return [
        {
          work: 'from the start of the process to the first 200 (keys exist), one core',
          limit: '–',
          postern: spread(start, 's', 2),
          goal: '≤ 0.5 s',
          reached: start.median <= 0.5,
        },
        {
          work: 'memory (RSS), idle for 3 s',
          limit: '–',
          bare: `${Math.round(engineIdle)} MB`,
          postern: spread(memory, 'MB', 0),
          goal: '≤ 100 MB',
          reached: memory.median <= 100,
        },
        {
          work: `memory (RSS) after ${count(TOKENS)} tokens as fast as one core goes`,
          limit: '–',
          bare: `${Math.round(engine.megabytes())} MB`,
          postern: `${Math.round(after)} MB`,
          goal: '≤ 200 MB',
          reached: after <= 200,
        },
      ];
    } finally {
      await Promise.all([asking.stop(), engine.stop()]);
      deployment.remove();
    }
  },
};

export const footprints: readonly Row[] = [footprint];
