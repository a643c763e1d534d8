import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder for its owner alone, and those above it that are missing; one that is there stays as it is. Node's own
 * (`recursive`) never ends where a folder is there and takes none, as `/proc` does: it is told ENOENT for ever.
 * @throws what the system says
 */
export function makeFolder(path: string): void {
  if (attempt(path)) return;
  makeFolder(dirname(path));
  if (!attempt(path)) throw Object.assign(new Error(`no folder can be made at ${path}`), { code: 'ENOENT' });
}

/** False where the folder above is missing. */
function attempt(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return true;
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
    return false;
  }
}
