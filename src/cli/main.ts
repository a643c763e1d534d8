import { Refusal } from '../lib/index.ts';
import { createProgram } from './program.ts';
import { askHidden } from './prompt.ts';
import type { Terminal } from './terminal.ts';

let unprinted = false;
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  // Whoever reads us may stop early (`postern user list | head`).
  if (code === 'EPIPE' || unprinted) return;
  unprinted = true;
  process.exitCode = 1;
  terminal.note(`what was asked for is done, but cannot be printed: ${message}`);
});

const terminal: Terminal = {
  env: process.env,
  pid: process.pid,
  interactive: process.stdin.isTTY === true && process.stderr.isTTY === true,
  out: (text) => void process.stdout.write(text),
  note: (line) => void process.stderr.write(`postern: ${line}\n`),
  async readInput(most) {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of process.stdin) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > most) throw new Refusal('input_too_large', `more than ${most} bytes on stdin`);
    }
    return Buffer.concat(chunks).toString('utf8');
  },
  askHidden: (question) => askHidden(process.stdin, process.stderr, question),
  onEnd(tidy) {
    const end = (signal: NodeJS.Signals) => {
      tidy();
      process.removeListener(signal, end);
      process.kill(process.pid, signal);
    };
    process.on('SIGINT', end).on('SIGTERM', end);
  },
};

const exitCode = await createProgram(terminal).run(process.argv.slice(2));
process.exitCode = unprinted ? 1 : exitCode;
