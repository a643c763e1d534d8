import { randomBytes } from 'node:crypto';
import { constants, rmSync } from 'node:fs';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Refusal } from '../../lib/index.ts';
import { realFiles, syncFolder, writeAll } from '../file/files.ts';
import { KIND } from './format.ts';

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'the disk quota is used up',
  EISDIR: 'it is a folder',
  ENOENT: 'there is no such folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'there is no such folder',
  EROFS: 'the disk is read-only',
};

/**
 * Writes a backup where nobody but us can read it. It gets its name when all of it is on the disk; until then the name is
 * what it was: nothing, or the backup before. The bytes written.
 * @param onEnd is told how to remove what there is of it, should we be ended meanwhile
 * @throws Refusal `file_exists` where the name is taken by anything but a backup, `file_unwritable`
 */
export async function save(
  path: string,
  pieces: AsyncIterable<Buffer>,
  onEnd: (tidy: () => void) => void,
): Promise<number> {
  await mayReplace(path);
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.new`);
  onEnd(() => rmSync(temporary, { force: true }));
  const file = await writing(path, () => open(temporary, 'wx', 0o600));
  try {
    const bytes = await write(path, file, pieces).finally(() => file.close());
    await writing(path, () => rename(temporary, path));
    await writing(path, () => syncFolder(realFiles, folder));
    return bytes;
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
}

async function write(path: string, file: FileHandle, pieces: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0;
  for await (const piece of pieces) {
    await writing(path, () => writeAll(file, piece));
    bytes += piece.length;
  }
  await writing(path, () => file.sync());
  return bytes;
}

/** Somebody may have typed a name that means something else. */
async function mayReplace(path: string): Promise<void> {
  // Without waiting: a pipe that nobody writes to is opened for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw unwritable(path, error);
  });
  if (!file) return;
  try {
    const found = await file.stat();
    // Of a folder the system says what it is.
    if (found.isFile() || found.isDirectory()) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(64), 0, 64, 0);
      if (buffer.subarray(0, bytesRead).includes(KIND)) return;
    }
  } catch (error) {
    throw unwritable(path, error as NodeJS.ErrnoException);
  } finally {
    await file.close();
  }
  throw new Refusal('file_exists', `${path} is there already, and is no backup of Postern: choose another name`);
}

async function writing<R>(path: string, work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    throw unwritable(path, error as NodeJS.ErrnoException);
  }
}

const unwritable = (path: string, cause: NodeJS.ErrnoException): Refusal =>
  new Refusal('file_unwritable', `${path} cannot be written: ${WORDS[cause.code ?? ''] ?? cause.message}`, { cause });
