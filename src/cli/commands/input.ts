import { createReadStream } from 'node:fs';
import { inSeconds, parseDuration, Refusal } from '../../lib/index.ts';

/** Far more than a key has. */
const MOST = 1024 * 1024;

/**
 * The text of a file that an operator names, or of a pipe, whose size nobody knows before.
 * @param most bytes
 * @throws Refusal `file_unreadable`, `input_too_large`
 */
export async function readFile(file: string, most = MOST): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > most)
        throw new Refusal('input_too_large', `${file} has more than ${most} bytes, which is too much at once`);
      pieces.push(piece);
    }
    // Without the mark some programs begin a file with; broken letters are no letters.
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces));
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw new Refusal('file_unreadable', `cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
}

/** A length of time as an operator writes it, in whole seconds. @throws Refusal `time_invalid` */
export function secondsIn(text: string): number {
  const duration = parseDuration(text);
  if (duration === undefined)
    throw new Refusal('time_invalid', `${JSON.stringify(text)} is no length of time such as 30s, 15m or 2h`);
  return inSeconds(duration);
}
