import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Cores as taskset writes them: `0`, `0,1`, `2-7`. */
export type Cores = string;

export const ONE: Cores = '0';
export const BOTH: Cores = '0,1';
const COUNT = availableParallelism();
/** Where load comes from: cores of its own where there are any, else the second of the two. */
export const besideOne: Cores = COUNT > 2 ? `2-${COUNT - 1}` : '1';
export const besideBoth: Cores = COUNT > 2 ? `2-${COUNT - 1}` : BOTH;

interface Start {
  readonly cores: Cores;
  /** What Node runs, and its arguments. */
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Standard output; errors are always shown. */
  readonly stdout?: number | 'pipe' | 'inherit';
  readonly ipc?: boolean;
}

const running = new Set<ChildProcess>();

/** A Node process on these cores and no others. */
export function start({ cores, args, env, cwd, stdout = 'inherit', ipc = false }: Start): ChildProcess {
  const child = spawn('taskset', ['-c', cores, process.execPath, ...args], {
    stdio: ['ignore', stdout, 'inherit', ...(ipc ? ['ipc' as const] : [])],
    ...(env && { env }),
    ...(cwd && { cwd }),
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

/** For a bench that is given up in the middle. */
export function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** A process that answers questions; see children/answer.ts. */
export interface Helper {
  megabytes(): number;
  ask<A>(question: object): Promise<A>;
  stop(): Promise<void>;
}

/** One of `children/`, on these cores. */
export function helper(name: string, cores: Cores, args: readonly string[] = []): Helper {
  const file = new URL(`./children/${name}.ts`, import.meta.url).pathname;
  const child = start({ cores, args: [file, ...args], ipc: true });
  return {
    megabytes: () => megabytes(child.pid!),
    ask: (question) =>
      new Promise((resolve, reject) => {
        const ended = () => reject(new Error(`${name} ended`));
        child.once('exit', ended);
        child.once('message', (message: { answer?: never; failure?: string }) => {
          child.off('exit', ended);
          if (message.failure !== undefined) reject(new Error(`${name}: ${message.failure}`));
          else resolve(message.answer!);
        });
        child.send(question);
      }),
    stop: () => stop(child),
  };
}

/** Seconds of processor time a process has used so far, its threads' too (proc(5)). */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Megabytes of memory a process holds (RSS). */
export const megabytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
