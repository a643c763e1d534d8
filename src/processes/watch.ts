import { setTimeout as pause } from 'node:timers/promises';
import { type Duration, type Logger, seconds } from '../lib/index.ts';
import type { Member } from './member.ts';

export interface Patience {
  /** A worker that serves is asked so often whether it lives, and has as long to say so. */
  readonly every: Duration;
  /** One that did not so many times in a row hangs. */
  readonly most: number;
}

/** Nothing a worker does keeps it from answering for a second; half a minute is no pause of a busy machine either. */
const PATIENCE: Patience = { every: seconds(5), most: 6 };

/**
 * Ends a worker that hangs for good, so that another takes its place: it holds connections that nobody answers, and whatever it
 * had claimed. Ends itself when the worker serves no more.
 */
export async function watch(member: Member, log: Logger, { every, most }: Patience = PATIENCE): Promise<void> {
  let missed = 0;
  while (member.state === 'serving') {
    // A line that is cut answers at once, in vain; its worker is ending in order, which takes a while.
    const [alive] = await Promise.all([member.ask('alive', every), pause(every, undefined, { ref: false })]);
    missed = alive ? 0 : missed + 1;
    if (missed === most && member.state === 'serving') {
      const silent = Math.round((most * every) / seconds(1));
      log.error({ worker: member.id, pid: member.pid, silent }, 'a worker hangs: it is ended');
      return member.kill();
    }
  }
}
