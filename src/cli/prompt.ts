import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { Refusal } from '../lib/index.ts';

/** Asks on a terminal without showing what is typed. @throws Refusal `cancelled` on Ctrl-C and Ctrl-D */
export async function askHidden(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  question: string,
): Promise<string> {
  // readline echoes to its output, so its output goes nowhere; with `terminal` it keeps the tty itself from echoing.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  const cancelled = new AbortController();
  reader.once('SIGINT', () => cancelled.abort());
  reader.once('close', () => cancelled.abort());
  output.write(question);
  try {
    return await reader.question('', { signal: cancelled.signal });
  } catch (cause) {
    throw new Refusal('cancelled', 'cancelled: nothing was changed', { cause });
  } finally {
    reader.close();
    output.write('\n');
  }
}
