import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { environmentOf } from './environment.ts';
import type { ClockMove } from './moved-clock.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
/** What `npm start` gives to Node. */
const FLAGS = /\bnode (.*) bin\/server\.js$/
  .exec(
    (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } }).scripts.start,
  )![1]!
  .split(' ');

export interface ServerProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly port: number;
  readonly exited: Promise<number | null>;
  /** What it printed, line by line. */
  readonly lines: readonly string[];
  /** The same, each read as the JSON it is, once. */
  readonly entries: readonly Readonly<Record<string, unknown>>[];
  /** What it logged as an error, one JSON line each. */
  readonly errors: readonly string[];
  /** Ends it without a word. */
  kill(): Promise<void>;
  /** SIGTERM; its exit code. */
  terminate(): Promise<number | null>;
  move(clock: ClockMove): Promise<void>;
}

interface Options {
  /** Holds `data/` and `keys/`. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** How far its clock is off from the start. */
  readonly clock?: ClockMove;
  /** File handles it may have; as many as we may unless given. */
  readonly handles?: number;
}

/** `npm start` without npm: a whole server in a process of its own, on a free port, once it listens. */
export async function startProcess({ folder, env = {}, clock, handles }: Options): Promise<ServerProcess> {
  const node = [process.execPath, ...FLAGS, '--import', join(ROOT, 'test/support/moved-clock.ts'), 'bin/server.js'];
  const [command, ...args] =
    handles === undefined ? node : ['sh', '-c', `ulimit -n ${handles}; exec "$0" "$@"`, ...node];
  const child = spawn(command!, args, {
    cwd: ROOT,
    env: {
      ...environmentOf(folder),
      ...(clock && { MOVED_CLOCK: JSON.stringify(clock) }),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  let said = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const lines: string[] = [];
  const entries: Record<string, unknown>[] = [];
  const errors: string[] = [];
  const printed = createInterface({ input: child.stdout! });
  const first = once(printed, 'line') as Promise<[string]>;
  printed.on('line', (line) => {
    lines.push(line);
    if (line.includes('"level":"error"')) errors.push(line);
  });
  const line = await Promise.race([first, exited.then(() => undefined)]);
  if (!line) throw new Error(`it did not start: ${said}`);
  const { url } = JSON.parse(line[0]) as { url: string };
  return {
    child,
    url,
    port: Number(new URL(url).port),
    exited,
    lines,
    get entries() {
      for (const line of lines.slice(entries.length)) entries.push(JSON.parse(line) as Record<string, unknown>);
      return entries;
    },
    errors,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    terminate() {
      child.kill('SIGTERM');
      return exited;
    },
    async move(move) {
      const moved = once(child, 'message');
      child.send(move);
      await moved;
    },
  };
}
