import type { ServerResponse } from 'node:http';
import { seconds } from '../lib/index.ts';
import { Patience } from '../store/index.ts';

/** With what else a request does this stays below the 5 s after which whoever asks gives up. */
const LONGEST = seconds(4);

const begun = new WeakMap<ServerResponse, Patience>();

/**
 * Does what a request asks of its store. It waits only so long, for all that is done like this for one request together:
 * then it fails, and is told so.
 */
export function patiently<R>(res: ServerResponse, work: () => R): R {
  const patience = begun.get(res) ?? new Patience(LONGEST);
  if (!begun.has(res)) {
    begun.set(res, patience);
    res.on('close', () => patience.end());
  }
  return patience.run(work);
}
