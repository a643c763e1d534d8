import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder for its owner alone, and those above it that are missing; one that is there stays as it is. Node's own
 * (`recursive`) never ends where a folder is there and takes none, as `/proc` does: it is told ENOENT for ever.
 * @returns false where it is there
 * @throws what the system says
 */
export function makeFolder(path: string): boolean {
  const found = attempt(path);
  if (found !== 'nothing above') return found === 'made';
  makeFolder(dirname(path));
  if (attempt(path) === 'nothing above')
    throw Object.assign(new Error(`no folder can be made at ${path}`), { code: 'ENOENT' });
  return true;
}

function attempt(path: string): 'made' | 'there' | 'nothing above' {
  try {
    mkdirSync(path, { mode: 0o700 });
    return 'made';
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return 'there';
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
    return 'nothing above';
  }
}
