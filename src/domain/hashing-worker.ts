import { constants, getPriority, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { hashSync } from '@node-rs/argon2';
import { normal, type Work } from './key-derivation.ts';
import { COST } from './password-cost.ts';
import { check } from './password-formats.ts';

/** What a worker is asked; one at a time. */
export type HashingJob =
  | { readonly hash: string | undefined; readonly password: string; readonly work: Work }
  | { readonly password: string };

/** What it answers: a PHC string for a password alone, a verdict where a hash came with it. */
export type HashingAnswer = { readonly value: string | boolean } | { readonly failure: string };

const port = parentPort;
if (!port) throw new Error('hashing-worker.ts runs as a worker thread');

// On Linux the niceness belongs to the thread, so the thread that signs tokens keeps its own.
try {
  setPriority(0, Math.max(getPriority(0), constants.priority.PRIORITY_BELOW_NORMAL));
} catch {
  // Without it, sign-ins and tokens merely share the processors evenly.
}

port.on('message', (job: HashingJob) => port.postMessage(answer(job)));

function answer(job: HashingJob): HashingAnswer {
  try {
    return {
      value: 'work' in job ? check(job.hash, job.password, job.work) : hashSync(normal(job.password), COST),
    };
  } catch (error) {
    return { failure: (error as Error).message };
  }
}
