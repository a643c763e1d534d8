import type { OpenFile } from './files.ts';
import type { SpareBuffers } from './memory/index.ts';

/** So much is asked for before it is looked at: the threads that read it find the memory it goes to. */
const AHEAD = 4;

/** A file from its beginning, a buffer at a time; each is good until the next one is asked for. */
export async function* readAhead(file: OpenFile, buffers: SpareBuffers): AsyncGenerator<Buffer> {
  const coming: Promise<Reading>[] = [];
  let position = 0;
  const ask = () => {
    const buffer = buffers.take();
    const reading = fill(file, buffer, position);
    // Told when its turn comes.
    reading.catch(() => {});
    coming.push(reading);
    position += buffer.length;
  };
  try {
    ask();
    for (let next = coming.shift(); next; next = coming.shift()) {
      const { buffer, length } = await next;
      const isLast = length < buffer.length;
      while (!isLast && coming.length < AHEAD) ask();
      if (length > 0) yield buffer.subarray(0, length);
      buffers.give(buffer);
      if (isLast) return;
    }
  } finally {
    await Promise.allSettled(coming);
  }
}

interface Reading {
  readonly buffer: Buffer;
  /** Less than the buffer's at the end of the file. */
  readonly length: number;
}

async function fill(file: OpenFile, buffer: Buffer, position: number): Promise<Reading> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return { buffer, length };
}
