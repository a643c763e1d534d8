import { fstatSync, writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';
import { milliseconds } from '../lib/index.ts';

/**
 * Bytes of a write. A pipe takes so many whole (PIPE_BUF of Linux), so that the lines of several processes never run into
 * each other; a file takes as many as it is given.
 */
export const WHOLE = { pipe: 4096, file: 64 * 1024 } as const;
/** Bytes that wait for the end of a turn of the event loop; beyond them they are written at once. */
const MOST_WAITING = 256 * 1024;
/** Bytes kept while nobody takes them (a full disk, a reader that hangs); beyond them lines are lost, not memory. */
const MOST_KEPT = 4 * 1024 * 1024;
/** Between two writes of a server that is busy: a system call for each turn would cost as much as the lines themselves. */
const TOGETHER = milliseconds(5);
const TRY_AGAIN = milliseconds(100);
const TRIES_AT_THE_END = 10;

interface LogOutput extends DestinationStream {
  /** Writes everything, as far as somebody takes it: to be called as the process exits. */
  flush(): void;
}

interface Options {
  /** Takes as many bytes as it says. */
  readonly write?: (bytes: Uint8Array) => number;
  /** The most that is given to one `write`, but for a line that is longer. */
  readonly whole?: number;
}

/** Whole lines that are written together. */
interface Block {
  readonly bytes: Buffer;
  end: number;
}

/**
 * Standard output, where what is said in one turn of the event loop is written at its end, many lines at a time, and of a
 * busy server what was said in {@link TOGETHER}. A process that is killed loses the lines of that moment and no others.
 * @param options for tests
 */
export function standardOutput({ write = writeOut, whole = wholeOf(1) }: Options = {}): LogOutput {
  let blocks: Block[] = [];
  let waiting = 0;
  /** How much of the first block was taken. */
  let taken = 0;
  /** A block that was written and may be filled again. */
  let spare: Block | undefined;
  /** How to call off the writing of what waits. */
  let due: (() => void) | undefined;
  let passedAt = Number.NEGATIVE_INFINITY;
  let retry: NodeJS.Timeout | undefined;

  /** Whether all of it was taken. */
  function pass(): boolean {
    due?.();
    due = undefined;
    passedAt = performance.now();
    let passed = 0;
    try {
      for (const { bytes, end } of blocks) {
        for (let now = 0; taken < end; taken += now, waiting -= now) now = write(bytes.subarray(taken, end));
        taken = 0;
        passed += 1;
      }
      return true;
    } catch {
      // Nobody takes it at present: no reason to stop serving.
      return false;
    } finally {
      spare = blocks.slice(0, passed).find(({ bytes }) => bytes.length === whole) ?? spare;
      blocks = blocks.slice(passed);
    }
  }

  function soon(): () => void {
    if (performance.now() - passedAt > TOGETHER) {
      const turn = setImmediate(passOn);
      return () => clearImmediate(turn);
    }
    const timer = setTimeout(passOn, TOGETHER);
    return () => clearTimeout(timer);
  }

  function passOn(): void {
    if (pass()) return;
    retry ??= setTimeout(() => {
      retry = undefined;
      passOn();
    }, TRY_AGAIN).unref();
  }

  /** One with room for so many bytes. */
  function blockFor(length: number): Block {
    const last = blocks.at(-1);
    if (last && length <= last.bytes.length - last.end) return last;
    const block = length > whole || !spare ? { bytes: Buffer.allocUnsafe(Math.max(length, whole)), end: 0 } : spare;
    if (block === spare) spare = undefined;
    block.end = 0;
    blocks.push(block);
    return block;
  }

  /** No character of UTF-16 is more than three bytes of UTF-8: what may be too long is counted. */
  function lengthOf(line: string): number {
    const last = blocks.at(-1);
    const most = line.length * 3;
    return last && most <= last.bytes.length - last.end ? most : Buffer.byteLength(line);
  }

  return {
    write(line) {
      const length = lengthOf(line);
      if (waiting + length > MOST_KEPT) return;
      const block = blockFor(length);
      const bytes = block.bytes.write(line, block.end);
      block.end += bytes;
      waiting += bytes;
      if (retry) return;
      if (waiting > MOST_WAITING) passOn();
      else due ??= soon();
    },

    flush() {
      for (let tries = 0; !pass() && tries < TRIES_AT_THE_END; tries += 1)
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TRY_AGAIN);
    },
  };
}

const writeOut = (bytes: Uint8Array): number => writeSync(1, bytes);

/** What takes more than a pipe is only a file: a terminal, a socket and what is closed are treated as pipes. */
function wholeOf(descriptor: number): number {
  try {
    return fstatSync(descriptor).isFile() ? WHOLE.file : WHOLE.pipe;
  } catch {
    return WHOLE.pipe;
  }
}
