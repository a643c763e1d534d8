/**
 * A disk in memory that can lose power: what was not synced is then lost in part, block by block, and so are names that
 * were given, changed or taken in a folder that was not synced. A sync that fails fails for good: what it could not write is
 * still read, but no later sync writes it, unless it is written anew. One folder, whatever it is called.
 */
import { basename } from 'node:path';
import type { FileOperations, OpenFile } from '../../src/store/file/index.ts';

interface Inode {
  bytes: Buffer;
  durable: Buffer;
  /** Blocks that are read as they were written, and that the disk will never have. */
  readonly lost: Set<number>;
}

const inodeOf = (bytes: Buffer): Inode => ({ bytes, durable: bytes, lost: new Set() });

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
      next.#names.set(name, inodeOf(this.#torn(inode)));
    }
    next.#durableNames = new Map(next.#names);
    return next;
  }

  /** What the next process finds when this one was killed: all that was written, on the disk or not. */
  afterKill(): Disk {
    this.remaining = -1;
    const next = new Disk(this.#random);
    next.#names = this.#names;
    next.#durableNames = this.#durableNames;
    next.#changes = this.#changes;
    return next;
  }

  async open(path: string, flags: string): Promise<OpenFile> {
    await this.#step();
    const name = basename(path);
    if (!name.includes('.')) return this.#folder();
    let inode = this.#names.get(name);
    if (!inode) {
      if (flags.startsWith('r')) throw failure('ENOENT');
      const created = inodeOf(Buffer.alloc(0));
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

  async mkdir(): Promise<void> {}

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
      try {
        await this.#step();
      } catch (error) {
        for (const block of blocksOf(inode.bytes)) if (isDirty(inode, block)) inode.lost.add(block);
        throw error;
      }
      inode.durable = onDisk(inode);
    };
    const put = (bytes: Uint8Array, position = inode.bytes.length) => {
      const end = position + bytes.length;
      inode.bytes = Buffer.concat([inode.bytes.subarray(0, position), bytes, inode.bytes.subarray(end)]);
      for (let block = Math.floor(position / BLOCK); block * BLOCK < end; block += 1) inode.lost.delete(block);
    };
    return {
      write: async (bytes, offset, length, position) => {
        const part = bytes.subarray(offset, offset + length);
        // Whoever is killed, or has no more room, may have written some of it.
        await this.#step(() => put(part.subarray(0, Math.floor(this.#random() * length)), position));
        put(part, position);
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
  #torn(inode: Inode): Buffer {
    const { bytes, durable } = inode;
    if (bytes.length < durable.length) return this.#random() < 0.5 ? onDisk(inode) : durable;
    const length = durable.length + Math.floor(this.#random() * (bytes.length - durable.length + 1));
    const torn = Buffer.from(bytes.subarray(0, length));
    for (const block of blocksOf(torn))
      if (inode.lost.has(block) || (isDirty(inode, block) && this.#random() < 0.2)) asDurable(torn, inode, block);
    return torn;
  }

  /** Every operation takes a few turns of the event loop, so that any may end before any other; after the power failed none ends. */
  async #step(half: () => void = () => {}): Promise<void> {
    this.remaining -= 1;
    for (let turns = this.#random() * SLOWEST; turns > 0; turns -= 1) await new Promise(setImmediate);
    if (this.remaining === -1) half();
    if (this.remaining < 0) await new Promise(() => {});
    const [from, to] = this.failing;
    if (this.remaining > from || this.remaining <= to) return;
    half();
    throw failure('EIO');
  }
}

const blocksOf = (bytes: Buffer): number[] =>
  Array.from({ length: Math.ceil(bytes.length / BLOCK) }, (_, block) => block);

const blockOf = (bytes: Buffer, block: number): Buffer => bytes.subarray(block * BLOCK, (block + 1) * BLOCK);

const isDirty = ({ bytes, durable }: Inode, block: number): boolean =>
  !blockOf(bytes, block).equals(blockOf(durable, block));

/** Puts a block as the disk has it in place of what was written last. */
function asDurable(bytes: Buffer, { durable }: Inode, block: number): void {
  blockOf(bytes, block).fill(0);
  blockOf(durable, block).copy(blockOf(bytes, block));
}

/** What was written, without what will never be on the disk. */
function onDisk(inode: Inode): Buffer {
  if (inode.lost.size === 0) return inode.bytes;
  const bytes = Buffer.from(inode.bytes);
  for (const block of blocksOf(bytes)) if (inode.lost.has(block)) asDurable(bytes, inode, block);
  return bytes;
}

const failure = (code: string): Error => Object.assign(new Error(code), { code });
