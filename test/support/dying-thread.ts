import { parentPort } from 'node:worker_threads';

/** Stands in for the hashing thread: dies of one password and gives every other back. */
parentPort?.on('message', ({ password }: { password: string }) => {
  if (password === 'die') process.exit(7);
  parentPort?.postMessage({ value: password });
});
