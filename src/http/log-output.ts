import { writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';
import { milliseconds } from '../lib/index.ts';

/** What a pipe takes whole (PIPE_BUF of Linux), so that the lines of several processes never run into each other. */
const WHOLE = 4096;
/** Bytes that wait for the end of a turn of the event loop; beyond them they are written at once. */
const MOST_WAITING = 256 * 1024;
/** Bytes kept while nobody takes them (a full disk, a reader that hangs); beyond them lines are lost, not memory. */
const MOST_KEPT = 4 * 1024 * 1024;
/** Between two writes of a server that is busy: a system call for each turn would cost as much as the lines themselves. */
const TOGETHER = milliseconds(5);
const TRY_AGAIN = milliseconds(100);
const TRIES_AT_THE_END = 10;

export interface LogOutput extends DestinationStream {
  /** Writes everything, as far as somebody takes it: to be called as the process exits. */
  flush(): void;
}

/**
 * Standard output, where what is said in one turn of the event loop is written at its end, many lines at a time, and of a
 * busy server what was said in {@link TOGETHER}. A process that is killed loses the lines of that moment and no others.
 * @param write `fs.writeSync` on the descriptor, for tests: gives how many bytes were taken.
 */
export function standardOutput(write = (bytes: Uint8Array): number => writeSync(1, bytes)): LogOutput {
  let chunks: { text: string; bytes: number }[] = [];
  let waiting = 0;
  /** What is left of a chunk of which only a part was taken. */
  let rest: Uint8Array | undefined;
  /** How to call off the writing of what waits. */
  let due: (() => void) | undefined;
  let passedAt = Number.NEGATIVE_INFINITY;
  let retry: NodeJS.Timeout | undefined;

  /** Whether all of it was taken. */
  function pass(): boolean {
    due?.();
    due = undefined;
    passedAt = performance.now();
    let taken = 0;
    try {
      for (; rest || taken < chunks.length; ) {
        rest ??= Buffer.from(chunks[taken++]!.text);
        while (rest.length > 0) rest = rest.subarray(write(rest));
        rest = undefined;
      }
      return true;
    } catch {
      // Nobody takes it at present: no reason to stop serving.
      return false;
    } finally {
      chunks = taken === chunks.length ? [] : chunks.slice(taken);
      waiting = chunks.reduce((sum, { bytes }) => sum + bytes, rest?.length ?? 0);
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

  return {
    write(line) {
      const bytes = Buffer.byteLength(line);
      if (waiting + bytes > MOST_KEPT) return;
      const last = chunks.at(-1);
      if (last && last.bytes + bytes <= WHOLE) {
        last.text += line;
        last.bytes += bytes;
      } else chunks.push({ text: line, bytes });
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
