import { spawn } from 'node:child_process';
import { ROOT } from './places.ts';

/** Something a person can do something about. */
export class Unprepared extends Error {}

interface Options {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads. */
  readonly input?: string;
}

/** Runs it to its end and gives what it wrote. @throws Unprepared with its own last words */
export function run(command: string, args: readonly string[], options: Options = {}): Promise<string> {
  const { cwd = ROOT, env = {}, input = '' } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env } });
    // A program may end without having read it all.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const [out, said]: string[][] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => {
      out?.push(chunk.toString());
      said?.push(chunk.toString());
    });
    child.stderr.on('data', (chunk: Buffer) => said?.push(chunk.toString()));
    child.on('error', (error) => reject(new Unprepared(`${command} cannot be run: ${error.message}`)));
    child.on('close', (code) => {
      if (code === 0) resolve(out?.join('') ?? '');
      else reject(new Unprepared(`${command} ${args.join(' ')} ended with ${code}:\n${said?.join('').slice(-4000)}`));
    });
  });
}
