import type { OpenArtifact } from '../engine/index.ts';

/** What is remembered at a time: about as many kilobytes. */
const MOST = 2_000;

/** Opens a row once for as long as it is what it was: a row is an object that never changes. For reading alone. */
export function openOnce(open: OpenArtifact): OpenArtifact {
  type Opened = ReturnType<OpenArtifact>;
  let known = new WeakMap<object, Opened>();
  let size = 0;
  return (table, row) => {
    const found = known.get(row);
    if (found) return found;
    if (size === MOST) [known, size] = [new WeakMap(), 0];
    const opened = open(table, row);
    known.set(row, opened);
    size += 1;
    return opened;
  };
}
