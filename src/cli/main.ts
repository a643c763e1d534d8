import { Refusal } from '../lib/index.ts';
import { createProgram } from './program.ts';
import { askHidden } from './prompt.ts';
import type { Terminal } from './terminal.ts';

/** Whoever reads us may stop early (`postern user list | head`). */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
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
};

process.exitCode = await createProgram(terminal).run(process.argv.slice(2));
