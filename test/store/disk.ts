/**
 * A disk in memory that can lose power: what was not synced is then lost in part, block by block, and so are names that
 * were given, changed or taken in a folder that was not synced. One folder, whatever it is called.
 */
import { basename } from 'node:path';
import type { FileOperations, OpenFile } from '../../src/store/file/index.ts';

interface Inode {
  bytes: Buffer;
  durable: Buffer;
}

type NameChange = (names: Map<string, Inode>) => void;

const BLOCK = 128;
const SLOWEST = 6;

export class Disk implements FileOperations {
  /** Operations until the power fails. */
  remaining = Number.POSITIVE_INFINITY;
  /** While so many operations remain, each fails: from the first number down to the second. */
  failing: readonly [number, number] = [-1, -1];
  readonly #random: () => number;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #changes: NameChange[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  /** What is found when the power is back. Whoever still holds the disk as it was never hears of it again. */
  afterPowerLoss(): Disk {
    this.remaining = -1;
    const next = new Disk(this.#random);
    const names = new Map(this.#durableNames);
    for (const change of this.#changes) if (this.#random() < 0.5) change(names);
    for (const [name, inode] of names) {
      const bytes = this.#torn(inode);
      next.#names.set(name, { bytes, durable: bytes });
    }
    next.#durableNames = new Map(next.#names);
    return next;
  }

  async open(path: string, flags: string): Promise<OpenFile> {
    await this.#step();
    const name = basename(path);
    if (!name.includes('.')) return this.#folder();
    let inode = this.#names.get(name);
    if (!inode) {
      if (flags.startsWith('r')) throw failure('ENOENT');
      const created: Inode = { bytes: Buffer.alloc(0), durable: Buffer.alloc(0) };
      inode = created;
      this.#change((names) => names.set(name, created));
    }
    if (flags === 'w') inode.bytes = Buffer.alloc(0);
    return this.#file(inode);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#step();
    const inode = this.#names.get(basename(from));
    if (!inode) throw failure('ENOENT');
    this.#change((names) => {
      names.set(basename(to), inode);
      if (names.get(basename(from)) === inode) names.delete(basename(from));
    });
  }

  async unlink(path: string): Promise<void> {
    await this.#step();
    if (!this.#names.has(basename(path))) throw failure('ENOENT');
    this.#change((names) => names.delete(basename(path)));
  }

  async readdir(): Promise<string[]> {
    return [...this.#names.keys()];
  }

  async mkdir(): Promise<undefined> {}

  async chmod(): Promise<void> {}

  async stat(path: string) {
    const inode = this.#names.get(basename(path));
    if (!inode && basename(path).includes('.')) throw failure('ENOENT');
    return { size: inode?.bytes.length ?? 0, mode: 0o600, uid: process.getuid!(), isDirectory: () => !inode };
  }

  async copyFile(): Promise<void> {
    throw failure('ENOSYS');
  }

  #file(inode: Inode): OpenFile {
    const sync = async () => {
      await this.#step();
      inode.durable = inode.bytes;
    };
    return {
      write: async (bytes, offset, length) => {
        await this.#step();
        inode.bytes = Buffer.concat([inode.bytes, bytes.subarray(offset, offset + length)]);
        return { bytesWritten: length };
      },
      read: async (bytes, offset, length, position) => {
        const part = inode.bytes.subarray(position, position + length);
        bytes.set(part, offset);
        return { bytesRead: part.length };
      },
      sync,
      datasync: sync,
      truncate: async (length) => {
        await this.#step();
        inode.bytes = inode.bytes.subarray(0, length);
      },
      close: async () => {},
    };
  }

  #folder(): OpenFile {
    const sync = async () => {
      await this.#step();
      this.#durableNames = new Map(this.#names);
      this.#changes = [];
    };
    const never = async () => {
      throw failure('EISDIR');
    };
    return { write: never, read: never, truncate: never, sync, datasync: sync, close: async () => {} };
  }

  #change(change: NameChange): void {
    change(this.#names);
    this.#changes.push(change);
  }

  /** Everything the file system promised, and of the rest some blocks, others empty, up to some length. */
  #torn({ bytes, durable }: Inode): Buffer {
    let same = 0;
    while (same < bytes.length && same < durable.length && bytes[same] === durable[same]) same += 1;
    if (same < durable.length) return this.#random() < 0.5 ? bytes : durable;
    const length = same + Math.floor(this.#random() * (bytes.length - same + 1));
    const torn = Buffer.from(bytes.subarray(0, length));
    for (let at = same; at < length; at = (Math.floor(at / BLOCK) + 1) * BLOCK) {
      if (this.#random() < 0.2) torn.fill(0, at, Math.min(length, (Math.floor(at / BLOCK) + 1) * BLOCK));
    }
    return torn;
  }

  /** Every operation takes a few turns of the event loop, so that any may end before any other; after the power failed none ends. */
  async #step(): Promise<void> {
    this.remaining -= 1;
    for (let turns = this.#random() * SLOWEST; turns > 0; turns -= 1) await new Promise(setImmediate);
    if (this.remaining < 0) await new Promise(() => {});
    const [from, to] = this.failing;
    if (this.remaining <= from && this.remaining > to) throw failure('EIO');
  }
}

const failure = (code: string): Error => Object.assign(new Error(code), { code });
