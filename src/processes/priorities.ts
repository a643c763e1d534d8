import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, constants, getPriority, setPriority } from 'node:os';

/** What V8 calls the threads that compile and collect beside the main thread. */
const V8_THREAD = 'V8Worker';

/** By how much the thread that answers gives way on one core: any more gains nothing more. */
const GIVES_WAY = 2;

/**
 * What weighs how much once the server is warm. V8's own threads take what nothing else wants: they compile and mark for
 * tens of milliseconds at a time, and for a process's first ten seconds often; on the core of the thread that answers, that
 * one waited as long. Where there is but one core the thread that answers lets a signature end that is under way: broken
 * off for each request that comes, both find the core's caches full of the other's. On Linux niceness belongs to the thread;
 * elsewhere nothing is done.
 */
export function settlePriorities(): void {
  try {
    const own = getPriority(0);
    for (const thread of readdirSync('/proc/self/task'))
      if (readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trim() === V8_THREAD)
        setPriority(Number(thread), Math.max(own, constants.priority.PRIORITY_BELOW_NORMAL));
    if (availableParallelism() === 1)
      setPriority(process.pid, Math.min(own + GIVES_WAY, constants.priority.PRIORITY_LOW));
  } catch {
    // Without it, answers merely wait a little longer.
  }
}
