import { setTimeout as pause } from 'node:timers/promises';
import { StoreConflict } from '../store/index.ts';

/** How often somebody else may be first before we give up. One of all that compete always succeeds. */
const ATTEMPTS = 200;

/** Reads, decides and commits again for as long as somebody else's commit came in between. */
export async function retryOnConflict<R>(work: () => Promise<R>): Promise<R> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreConflict) || attempt === ATTEMPTS) throw error;
      if (attempt > 3) await pause(Math.random() * Math.min(attempt, 20));
    }
  }
}
