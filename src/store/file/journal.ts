import { type Clock, milliseconds } from '../../lib/index.ts';
import { StoreUnavailable } from '../contract.ts';
import { writeAll } from './files.ts';
import type { Entry, Pending, Rotation, Undurable, Waiter } from './journal-entry.ts';
import { commitLine, type JournalFile, type Mark, markLine } from './journal-file.ts';
import { LineBuffer } from './lines.ts';

const LARGEST_BATCH = 4 * 1024 * 1024;
/** Promised are 200 ms; the rest is for the disk. */
const RELAXED_SYNC = milliseconds(50);
const IDLE_MARK = milliseconds(5);

/**
 * Writes commits to the journal: one loop, one write and one `fdatasync` for all that wait.
 *
 * After an error nothing more is acknowledged, and the same `fsync` is never asked again: the kernel may have dropped
 * the pages and answer well the second time. Only {@link replace} with a new file ends that.
 */
export class Journal {
  readonly #now: Clock;
  readonly #onFailure: (error: Error, undurable: readonly Undurable[]) => void;
  readonly #lines = new LineBuffer();
  #file: JournalFile;
  #queue: Pending[] = [];
  /** Written and acknowledged, not yet on the disk for sure. */
  #unsynced: Entry[] = [];
  #waiters: Waiter[] = [];
  #rotation: Rotation | undefined;
  #written: number;
  #synced: number;
  /** What the file itself says is on the disk. */
  #told: number;
  #dirty = false;
  #syncDue = false;
  #syncTimer: NodeJS.Timeout | undefined;
  #markTimer: NodeJS.Timeout | undefined;
  #markDue = false;
  #running: Promise<void> | undefined;
  #failure: Error | undefined;

  constructor(options: {
    file: JournalFile;
    /** The last commit in it, which must be on the disk. */
    sequence: number;
    now: Clock;
    onFailure: (error: Error, undurable: readonly Undurable[]) => void;
  }) {
    this.#file = options.file;
    this.#written = this.#synced = this.#told = options.sequence;
    this.#now = options.now;
    this.#onFailure = options.onFailure;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Bytes in the current file. */
  get size(): number {
    return this.#file.size;
  }

  /** Resolves when the commit is as durable as it must be. @throws StoreUnavailable */
  append(entry: Entry): Promise<void> {
    if (this.#failure) return Promise.reject(unavailable(this.#failure));
    return new Promise((acknowledge, reject) => {
      this.#queue.push({ ...entry, acknowledge, reject });
      this.#wake();
    });
  }

  /** Resolves when everything up to this number is on the disk. @throws StoreUnavailable */
  durable(sequence: number): Promise<void> {
    if (this.#failure) return Promise.reject(unavailable(this.#failure));
    if (this.#synced >= sequence) return Promise.resolve();
    return new Promise((done, reject) => {
      this.#waiters.push({ sequence, done, reject });
      this.#syncDue = true;
      this.#wake();
    });
  }

  /** Writes down what time it is, without waiting for it. */
  mark(): void {
    this.#markDue = true;
    this.#wake();
  }

  /**
   * Goes on in the file that `create` makes at `path`, from the commit after `sequence`, which must be the last one
   * appended. When it cannot be made the journal goes on as it was, unless that file was to take its name.
   */
  rotate(sequence: number, path: string, create: () => Promise<JournalFile>): Promise<void> {
    if (this.#failure) return Promise.reject(unavailable(this.#failure));
    return new Promise((done, reject) => {
      this.#rotation = { sequence, path, create, done, reject };
      this.#wake();
    });
  }

  /** Ends a failure: everything up to `sequence` is on the disk elsewhere, and `file` goes on after it. */
  async replace(file: JournalFile, sequence: number): Promise<void> {
    const old = this.#file;
    this.#file = file;
    this.#written = this.#synced = this.#told = sequence;
    this.#unsynced = [];
    this.#dirty = this.#syncDue = this.#markDue = false;
    this.#failure = undefined;
    await old.file.close().catch(() => {});
  }

  /** Waits for everything to be on the disk, and says so in the file. */
  async close(): Promise<void> {
    this.#syncDue = true;
    this.#wake();
    while (this.#running) await this.#running;
    clearTimeout(this.#syncTimer);
    clearTimeout(this.#markTimer);
    try {
      if (!this.#failure) {
        await this.#writeMark('closed');
        await this.#file.file.datasync();
      }
    } finally {
      this.#failure ??= new Error('the store is closed');
      await this.#file.file.close();
    }
  }

  #wake(): void {
    if (!this.#failure) this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    try {
      do {
        // A turn of the event loop before each step: what is committed in the same turn shares the write.
        await new Promise(setImmediate);
        await this.#step();
      } while (this.#hasWork());
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#running = undefined;
    }
  }

  #hasWork(): boolean {
    return this.#queue.length > 0 || this.#syncDue || this.#markDue || this.#rotation !== undefined;
  }

  async #step(): Promise<void> {
    const batch = this.#take();
    if (batch.length > 0) await this.#write(batch);
    else if (this.#syncDue) await this.#sync();
    else if (this.#rotation) await this.#rotate(this.#rotation);
    else if (this.#markDue) await this.#writeMark('idle');
  }

  #take(): Pending[] {
    const last = this.#rotation?.sequence ?? Number.POSITIVE_INFINITY;
    let bytes = 0;
    let count = 0;
    for (const { sequence, text } of this.#queue) {
      if (sequence > last || bytes > LARGEST_BATCH) break;
      bytes += text.length;
      count += 1;
    }
    return this.#queue.slice(0, count);
  }

  /** The batch stays in the queue until it is written, so that a failure finds every commit in one place. */
  async #write(batch: readonly Pending[]): Promise<void> {
    const synced = this.#synced;
    await this.#append(batch.map(({ sequence, at, text }) => commitLine(sequence, at, synced, text)));
    this.#written = batch.at(-1)!.sequence;
    this.#told = synced;
    for (const entry of batch) if (!entry.strict) entry.acknowledge();
    this.#queue.splice(0, batch.length);
    this.#unsynced.push(...batch);
    if (this.#syncDue || batch.some(({ strict }) => strict)) await this.#sync();
    else this.#syncSoon();
  }

  async #sync(): Promise<void> {
    this.#syncDue = false;
    if (this.#dirty) await this.#file.file.datasync();
    this.#dirty = false;
    this.#synced = this.#written;
    const durable = this.#unsynced;
    this.#unsynced = [];
    for (const entry of durable as Pending[]) if (entry.strict) entry.acknowledge();
    const [reached, waiting] = [[] as Waiter[], [] as Waiter[]];
    for (const waiter of this.#waiters) (waiter.sequence <= this.#synced ? reached : waiting).push(waiter);
    this.#waiters = waiting;
    for (const waiter of reached) waiter.done();
    if (this.#told < this.#synced) this.#markSoon();
  }

  async #rotate({ create, path, sequence, done, reject }: Rotation): Promise<void> {
    await this.#sync();
    let next: JournalFile;
    try {
      next = await create();
    } catch (error) {
      // Nobody may ever find what goes to a file whose name another may have taken.
      if (path === this.#file.path) throw error;
      this.#rotation = undefined;
      return reject(error as Error);
    }
    try {
      await this.#writeMark('end');
      await this.#sync();
    } catch (error) {
      await next.file.close().catch(() => {});
      throw error;
    }
    const old = this.#file;
    this.#file = next;
    this.#told = sequence;
    this.#rotation = undefined;
    await old.file.close().catch(() => {});
    done();
  }

  async #writeMark(mark: Mark): Promise<void> {
    this.#markDue = false;
    await this.#append([markLine(this.#written, this.#now(), this.#synced, mark)]);
    this.#told = this.#synced;
    this.#syncSoon();
  }

  async #append(lines: readonly string[]): Promise<void> {
    const bytes = this.#lines.encode(lines);
    this.#dirty = true;
    await writeAll(this.#file.file, bytes);
    this.#file.size += bytes.length;
  }

  #syncSoon(): void {
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = undefined;
      this.#syncDue = true;
      this.#wake();
    }, RELAXED_SYNC);
  }

  /** When no next commit comes to say that the last ones are on the disk, a mark does. */
  #markSoon(): void {
    this.#markTimer ??= setTimeout(() => {
      this.#markTimer = undefined;
      if (this.#told < this.#synced) this.mark();
    }, IDLE_MARK);
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#syncDue = this.#markDue = false;
    const written = this.#unsynced.map((entry) => ({ ...entry, acknowledged: !entry.strict }));
    const refused = [...this.#unsynced.filter(({ strict }) => strict), ...this.#queue] as Pending[];
    const waiting = [...this.#waiters, ...(this.#rotation ? [this.#rotation] : [])];
    const undurable = [...written, ...this.#queue.map((entry) => ({ ...entry, acknowledged: false }))];
    this.#queue = [];
    this.#unsynced = [];
    this.#waiters = [];
    this.#rotation = undefined;
    this.#onFailure(error, undurable);
    for (const one of [...refused, ...waiting]) one.reject(unavailable(error));
  }
}

const unavailable = (cause: Error): StoreUnavailable =>
  new StoreUnavailable(`the store cannot write: ${cause.message}`, { cause });
