import { setTimeout as pause } from 'node:timers/promises';
import { seconds } from '../../src/lib/index.ts';

/** Waits for what comes without being asked for, however busy the machine is. @throws Error after a minute */
export async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  const giveUp = performance.now() + seconds(60);
  while (!(await what())) {
    if (performance.now() > giveUp) throw new Error('it did not come');
    await pause(5);
  }
}
