import type { FileOperations } from './files.ts';
import { list } from './folder.ts';
import { readLines } from './lines.ts';

/**
 * Reads the older generation, which a start has no need of, so that damage to it is known before it is needed.
 * @param base the snapshot the start began with; 0 for none
 * @returns the first line that is damaged
 */
export async function scrub(
  files: FileOperations,
  folder: string,
  base: number,
  signal: AbortSignal,
): Promise<{ file: string; line: number } | undefined> {
  const { journals, snapshots } = await list(files, folder);
  for (const { name, path, sequence } of [...snapshots, ...journals]) {
    if (sequence >= base) continue;
    let damaged = 0;
    await readLines(files, path, (line) => {
      signal.throwIfAborted();
      if (damaged === 0 && !line.intact) damaged = line.number;
    }).catch((error: NodeJS.ErrnoException) => {
      // A newer snapshot has made it superfluous meanwhile.
      if (error.code !== 'ENOENT') throw error;
    });
    if (damaged > 0) return { file: name, line: damaged };
  }
  return undefined;
}
