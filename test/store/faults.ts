/** The real disk with a fault in it, which a test puts there and takes away. */
import * as fs from 'node:fs/promises';
import { basename } from 'node:path';
import { type FileOperations, type OpenFile, realFiles } from '../../src/store/file/files.ts';

export type Operation = 'open' | 'write' | 'datasync' | 'sync' | 'rename' | 'unlink';

/** Called before each operation with the name of the file; what it throws is what the disk says. */
export type Fault = (operation: Operation, name: string) => void | Promise<void>;

export const failure = (code: string): Error => Object.assign(new Error(`${code}: made by a test`), { code });

export class FaultyDisk implements FileOperations {
  fault: Fault = () => {};
  /** At most so many bytes are accepted by one write. */
  most = Number.POSITIVE_INFINITY;
  readonly readdir = fs.readdir;
  readonly mkdir = realFiles.mkdir;
  readonly chmod = fs.chmod;
  readonly stat = fs.stat;
  readonly copyFile = fs.copyFile;

  /** What each path is called by whoever opened it: a file keeps its handle when it is renamed. */
  readonly #called = new Map<string, { name: string }>();

  async open(path: string, flags: string, mode?: number): Promise<OpenFile> {
    const called = { name: basename(path) };
    await this.fault('open', called.name);
    const file = await fs.open(path, flags, mode);
    this.#called.set(path, called);
    return {
      write: async (bytes, offset, length, position) => {
        await this.fault('write', called.name);
        return await file.write(bytes, offset, Math.min(length, this.most), position);
      },
      datasync: async () => {
        await this.fault('datasync', called.name);
        await file.datasync();
      },
      sync: async () => {
        await this.fault('sync', called.name);
        await file.sync();
      },
      read: (bytes, offset, length, position) => file.read(bytes, offset, length, position),
      truncate: (length) => file.truncate(length),
      close: () => file.close(),
    };
  }

  async rename(from: string, to: string): Promise<void> {
    await this.fault('rename', basename(to));
    await fs.rename(from, to);
    const called = this.#called.get(from);
    if (called) called.name = basename(to);
  }

  async unlink(path: string): Promise<void> {
    await this.fault('unlink', basename(path));
    await fs.unlink(path);
  }
}
