import type { RequestListener } from 'node:http';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { seconds } from '../lib/index.ts';

const LONGEST = seconds(1);

/** Lets connections in before there is anyone to answer: the first requests wait those milliseconds. */
export function doorway() {
  let answer: RequestListener | undefined;
  const { promise, resolve } = Promise.withResolvers<RequestListener>();
  const waiting: Promise<unknown>[] = [];
  return {
    handler: (...[req, res]: Parameters<RequestListener>): void => {
      if (answer) answer(req, res);
      else {
        waiting.push(new Promise((done) => res.once('close', done)));
        void promise.then((opened) => opened(req, res));
      }
    },
    /** Resolves when whoever waited has been answered, or after a second: for what must not stand in their way. */
    async open(opened: RequestListener): Promise<void> {
      resolve(opened);
      // Those the kernel holds have waited, too.
      await turn();
      answer = opened;
      await Promise.race([Promise.all(waiting), pause(LONGEST, undefined, { ref: false })]);
    },
  };
}
