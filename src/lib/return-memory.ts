const MEGABYTE = 1024 * 1024;
/** It takes a second for each gigabyte that is in use. */
const MOST = 96 * MEGABYTE;

/**
 * Collects all garbage and gives the memory back, in about 100 ms: for a moment when nobody waits. Does nothing where so much
 * is in use that somebody would, and unless Node was started with `--expose-gc`.
 */
export function returnMemory(): void {
  try {
    if (process.memoryUsage().heapUsed > MOST) return;
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  } catch {
    // The system could not say how much is in use (no file can be opened): then V8 keeps it.
  }
}
