/**
 * Collects all garbage and gives the memory back, in about 100 ms: for a moment when nobody waits. Does nothing unless
 * Node was started with `--expose-gc`.
 */
export const returnMemory = (): void =>
  void globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
