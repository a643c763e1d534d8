import * as fs from 'node:fs/promises';
import { makeFolder } from '../../lib/index.ts';

/** An open file, as `node:fs/promises` gives it. */
export interface OpenFile {
  /** Where the last write ended unless a position is given; a file opened for appending has none. */
  write(bytes: Uint8Array, offset: number, length: number, position?: number): Promise<{ bytesWritten: number }>;
  read(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  datasync(): Promise<void>;
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/** The part of `node:fs/promises` the engine uses: an argument, so that a test can be the broken disk. */
export interface FileOperations {
  open(path: string, flags: string, mode?: number): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  readdir(path: string): Promise<string[]>;
  /** For its owner alone, with those above it that are missing. */
  mkdir(path: string): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  stat(path: string): Promise<{ size: number; mode: number; uid: number; isDirectory(): boolean }>;
  copyFile(from: string, to: string): Promise<void>;
}

export const realFiles: FileOperations = { ...fs, mkdir: async (path) => void makeFolder(path) };

/**
 * Writes every byte, whatever the disk accepts at a time. Libraries that trust one `write` truncate a good file on a full
 * disk and report success.
 */
export async function writeAll(file: OpenFile, bytes: Uint8Array, position?: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const at = position === undefined ? undefined : position + done;
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at);
    if (bytesWritten <= 0) throw new Error('the disk accepted no bytes');
    done += bytesWritten;
  }
}

/** Makes names in a folder durable: a file that was created or renamed is only then sure to be found after power loss. */
export async function syncFolder(files: FileOperations, folder: string): Promise<void> {
  const handle = await files.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Puts a whole small file in place, durably: it is seen complete or not at all. */
export async function placeFile(files: FileOperations, folder: string, name: string, text: string): Promise<void> {
  const path = `${folder}/${name}`;
  const file = await files.open(`${path}.new`, 'w', 0o600);
  try {
    await writeAll(file, Buffer.from(text));
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(`${path}.new`, path);
  await syncFolder(files, folder);
}

/** Removes a file; one that is not there is no error. */
export async function removeFile(files: FileOperations, path: string): Promise<void> {
  await files.unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
