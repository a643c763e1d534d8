import type { ServerResponse } from 'node:http';
import { seconds } from '../lib/index.ts';
import { Patience } from '../store/index.ts';

/** With what else a request does this stays below the 5 s after which whoever asks gives up. */
const LONGEST = seconds(4);

export const BEGUN = Symbol('the patience of this request');

/** A property, and no WeakMap: one of those has work for every collection of garbage, with every request. */
export interface Begun {
  [BEGUN]?: Patience | undefined;
}

/**
 * Does what a request asks of its store. It waits only so long, for all that is done like this for one request together:
 * then it fails, and is told so.
 */
export function patiently<R>(res: ServerResponse & Begun, work: () => R): R {
  const patience = res[BEGUN] ?? begin(res);
  return patience.run(work);
}

function begin(res: ServerResponse & Begun): Patience {
  const patience = new Patience(LONGEST);
  res[BEGUN] = patience;
  res.on('close', () => patience.end());
  return patience;
}
