import { spawn } from 'node:child_process';
import { ROOT } from './places.ts';

/** Something a person can do something about. */
export class Unprepared extends Error {}

/** Runs it to its end and gives what it wrote. @throws Unprepared with its own last words */
export function run(command: string, args: readonly string[], { cwd = ROOT } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
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
