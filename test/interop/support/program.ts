import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../support/free-port.ts';

export interface Program {
  readonly url: string;
  /** What it wrote so far. */
  said(): string;
  stop(): Promise<void>;
}

interface Start {
  readonly command: string;
  /** `PORT` stands for the port it shall listen on. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly port?: number;
}

const PATIENCE = 60_000;

/** A test process that ends for any reason leaves nothing running behind it. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts somebody else's program and waits until it listens. @throws Error with its own words when it ends instead */
export async function startProgram({ command, args, cwd, env, port: given }: Start): Promise<Program> {
  const port = given ?? (await freePort());
  const child = spawn(
    command,
    args.map((arg) => (arg === 'PORT' ? String(port) : arg)),
    {
      cwd,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: process.env['HOME'] ?? '',
        PYTHONDONTWRITEBYTECODE: '1',
        PYTHONUNBUFFERED: '1',
        PORT: String(port),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  running.add(child);
  child.once('exit', () => running.delete(child));
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-20_000);
    });
  await listening(child, port, () => said);
  return {
    url: `http://localhost:${port}`,
    said: () => said,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function listening(child: ChildProcess, port: number, said: () => string): Promise<void> {
  const giveUp = performance.now() + PATIENCE;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the program ended with ${child.exitCode}:\n${said()}`);
    if (await answers(port)) return;
    if (performance.now() > giveUp) {
      child.kill('SIGKILL');
      throw new Error(`the program does not listen:\n${said()}`);
    }
    await pause(100);
  }
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
