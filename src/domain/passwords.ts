import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Refusal } from '../lib/index.ts';
import type { HashingAnswer, HashingJob } from './hashing-worker.ts';
import type { Work } from './key-derivation.ts';
import { COST } from './password-cost.ts';

/** The slow part of a sign-in, in threads of its own. */
export interface Passwords {
  /** A PHC string, `$argon2id$v=19$m=19456,t=2,p=1$…`. @throws Refusal `busy` */
  hash(password: string): Promise<string>;
  /**
   * @param work what a refusal costs beside a hash of ours, whoever is refused: none unless said.
   * @throws Refusal `busy` when too many wait already.
   */
  verify(hash: string, password: string, work?: Work): Promise<boolean>;
  /** The work of a {@link verify} that refuses, for a person who does not exist. @throws Refusal `busy` */
  decoy(password: string, work?: Work): Promise<void>;
  /** Whether the hash is as a new one would be: another cost or method, and it is time to make it anew. */
  isCurrent(hash: string): boolean;
  /** Ends the threads; what waits rejects. */
  close(): Promise<void>;
}

/** How every hash begins that is made here now. */
const CURRENT = `$argon2id$v=19$m=${COST.memoryCost},t=${COST.timeCost},p=${COST.parallelism}$`;

interface Waiting {
  readonly job: HashingJob;
  resolve(value: string | boolean): void;
  reject(error: Error): void;
}

/**
 * Hashes passwords with argon2id in a bounded pool of low-priority worker threads, started when first needed: one for each
 * core, since they take what nothing else wants. Never in libuv's pool: token signing waits there.
 * @param processes of this machine that share its cores; @param workers threads at most; @param queue jobs that may wait for one before new ones are refused;
 * @param threadUrl what a thread runs, for tests of threads that fail.
 */
export function createPasswords({
  processes = 1,
  workers = Math.max(1, Math.floor(availableParallelism() / processes)),
  queue = 64,
  threadUrl = new URL('./hashing-worker.ts', import.meta.url),
} = {}): Passwords {
  const busy = new Map<Worker, Waiting>();
  const idle: Worker[] = [];
  const waiting: Waiting[] = [];
  let closed = false;

  function start(): Worker {
    const worker = new Worker(threadUrl);
    worker.on('message', (answer: HashingAnswer) => {
      const done = busy.get(worker);
      busy.delete(worker);
      worker.unref();
      idle.push(worker);
      if ('value' in answer) done?.resolve(answer.value);
      else done?.reject(new Error(`hashing: ${answer.failure}`));
      dispatch();
    });
    worker.on('error', (error) => lose(worker, error as Error));
    worker.on('exit', (code) => lose(worker, new Error(`a hashing thread ended with code ${code}`)));
    return worker;
  }

  /** The job of a thread that died fails; the next job starts another thread. */
  function lose(worker: Worker, error: Error): void {
    const job = busy.get(worker);
    busy.delete(worker);
    if (idle.includes(worker)) idle.splice(idle.indexOf(worker), 1);
    job?.reject(error);
    dispatch();
  }

  function dispatch(): void {
    while (!closed && waiting.length > 0 && (idle.length > 0 || busy.size < workers)) {
      const next = waiting.shift()!;
      const worker = idle.pop() ?? start();
      busy.set(worker, next);
      // An idle thread keeps no process alive, a working one does.
      worker.ref();
      worker.postMessage(next.job);
    }
  }

  function run(job: HashingJob): Promise<string | boolean> {
    return new Promise((resolve, reject) => {
      if (closed) return reject(new Error('the hashing threads are closed'));
      if (busy.size >= workers && waiting.length >= queue)
        return reject(new Refusal('busy', 'too many sign-ins at this moment: try again in a few seconds'));
      waiting.push({ job, resolve, reject });
      dispatch();
    });
  }

  return {
    hash: async (password) => (await run({ password })) as string,
    verify: async (hash, password, work = {}) => (await run({ hash, password, work })) as boolean,
    decoy: async (password, work = {}) => void (await run({ hash: undefined, password, work })),
    isCurrent: (hash) => hash.startsWith(CURRENT),
    async close() {
      closed = true;
      for (const { reject } of waiting.splice(0)) reject(new Error('the hashing threads were closed'));
      await Promise.all([...idle.splice(0), ...busy.keys()].map((worker) => worker.terminate()));
    },
  };
}
