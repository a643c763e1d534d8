import { readdirSync, readFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';

/** What V8 calls the threads that compile and collect beside the main thread. */
const NAME = 'V8Worker';

/**
 * Has V8's own threads take what nothing else wants. They compile and mark for tens of milliseconds at a time, and for a
 * process's first ten seconds often; on the core of the thread that answers, that one waited as long. On Linux niceness
 * belongs to the thread; elsewhere nothing is done.
 */
export function lowerV8Threads(): void {
  try {
    const nice = Math.max(getPriority(0), constants.priority.PRIORITY_BELOW_NORMAL);
    for (const thread of readdirSync('/proc/self/task'))
      if (readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trim() === NAME) setPriority(Number(thread), nice);
  } catch {
    // Without it, answers merely wait a little longer while V8 compiles.
  }
}
