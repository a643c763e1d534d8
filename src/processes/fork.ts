import { type ChildProcess, fork } from 'node:child_process';

/** The argument by which a process knows that it is a worker. */
export const WORKER = '--worker';

/** Starts this program again as a worker; it prints where we do. */
export const forkWorker = (script: string, args: readonly string[]): ChildProcess =>
  fork(script, [WORKER, ...args], { serialization: 'advanced' });
