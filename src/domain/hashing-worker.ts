import { constants, getPriority, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { hashSync, verifySync } from '@node-rs/argon2';

/** What a worker is asked; one at a time. */
export type HashingJob = { readonly hash: string; readonly password: string } | { readonly password: string };

/** What it answers: a PHC string for a password alone, a verdict where a hash came with it. */
export type HashingAnswer = { readonly value: string | boolean } | { readonly failure: string };

/** OWASP's first choice for argon2id (the library's algorithm 2): 19 MiB, two passes, one lane. */
const COST = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 };

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
    return { value: 'hash' in job ? verifySync(job.hash, job.password) : hashSync(job.password, COST) };
  } catch (error) {
    return { failure: (error as Error).message };
  }
}
