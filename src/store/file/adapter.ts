import type { Adapter } from 'lowdb';
import type { Clock, Logger } from '../../lib/index.ts';
import { StoreDamaged } from './errors.ts';
import { type FileOperations, removeFile, syncFolder } from './files.ts';
import { checkFormat, dataFile, type Listing, list, prune, writeFormat } from './folder.ts';
import { Journal } from './journal.ts';
import type { Undurable } from './journal-entry.ts';
import { createJournal, type JournalFile } from './journal-file.ts';
import { readLines } from './lines.ts';
import type { Database } from './memory/index.ts';
import { type Recovered, recover } from './recover.ts';
import { scrub } from './scrub.ts';
import { type Slice, type SnapshotOptions, slicesOf, writeSnapshot } from './snapshot.ts';

/**
 * What lowdb's `Low` reads and writes through: a journal and its snapshots.
 *
 * `read` restores everything; `write` makes a new snapshot of everything. What happens between the two, commit by commit,
 * goes to {@link JournalAdapter.journal}.
 */
export class JournalAdapter implements Adapter<Database> {
  readonly #files: FileOperations;
  readonly #folder: string;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  #recovered: Recovered | undefined;
  #journal: Journal | undefined;
  #now: Clock = () => 0;
  /** Rows and changes in the files a start would read. */
  #read = 0;

  constructor(options: { files: FileOperations; folder: string; log: Logger }) {
    this.#files = options.files;
    this.#folder = options.folder;
    this.#log = options.log;
  }

  get journal(): Journal {
    if (!this.#journal) throw new Error('the adapter is not started');
    return this.#journal;
  }

  get lastWrittenAt(): number {
    return this.#recovered?.lastWrittenAt ?? 0;
  }

  get worn(): boolean {
    return this.#recovered?.worn ?? false;
  }

  /** Looks at what the start had no need to read. True when all of it is as it was written. */
  async olderFilesAreIntact(): Promise<boolean> {
    const damage = await scrub(this.#files, this.#folder, this.#recovered?.base ?? 0, this.#stop.signal);
    if (damage)
      this.#log.warn(damage, 'an older file of the store is damaged; nothing is missing, and a new one is made');
    return damage === undefined;
  }

  /** Restores the data; null in a folder that never held any. @throws StoreDamaged, StoreRefused */
  async read(): Promise<Database | null> {
    const listing = await list(this.#files, this.#folder);
    for (const name of listing.unfinished) await removeFile(this.#files, `${this.#folder}/${name}`);
    if (await this.#isNew(listing)) return null;
    await checkFormat(this.#files, this.#folder);
    this.#recovered = await recover(this.#files, this.#folder, listing, this.#log);
    this.#read = this.#recovered.read;
    return this.#recovered.database;
  }

  /** Opens the journal for what comes. */
  async start(
    now: Clock,
    sequence: number,
    onFailure: (error: Error, undurable: readonly Undurable[]) => void,
  ): Promise<void> {
    this.#now = now;
    const file = this.#recovered ? await this.#openJournal(this.#recovered) : await this.#create();
    this.#journal = new Journal({ file, sequence, now, onFailure });
  }

  /** Counts what a commit adds to the files. */
  wrote(changes: number): void {
    this.#read += changes;
  }

  /** How many times over a start would read what is alive, and how long the journal has become. */
  get wear(): { readonly read: number; readonly journalBytes: number } {
    return { read: this.#read, journalBytes: this.journal.size };
  }

  /**
   * Makes a snapshot while commits go on; after a failure, while none can, in new files alone, which ends the failure.
   * On an error everything is as it was.
   */
  async write(database: Database): Promise<void> {
    const healing = this.journal.failure !== undefined;
    await (healing ? this.#heal(database) : this.#compact(database));
    // After a healing the older generation leads nowhere: its journal ends early.
    await prune(this.#files, this.#folder, healing ? 1 : 2);
  }

  async #compact(database: Database): Promise<void> {
    const before = this.#read;
    const snapshot = this.#snapshotOf(database);
    const { path } = dataFile(this.#folder, 'journal', snapshot.cut);
    await this.journal.rotate(snapshot.cut, path, () => this.#createJournal(snapshot.cut, false));
    const settle = async () => {
      const shown = database.sequence;
      await this.journal.durable(shown);
      return shown;
    };
    const rows = await writeSnapshot({ ...snapshot, settle });
    this.#read += rows - before;
  }

  /** Nothing is committed meanwhile: memory holds what was acknowledged, and no more. */
  async #heal(database: Database): Promise<void> {
    this.#read = await this.#writeAnew(this.#snapshotOf(database));
  }

  /**
   * Puts other rows, which hold the version `cut`, in place of all there are. Nothing is committed meanwhile; the older
   * files go. Where it throws, {@link JournalAdapter.mayHold} says whether the rows may be there all the same.
   * @param check looks at the snapshot before it counts
   */
  async replaceAll(rows: AsyncIterable<Slice>, cut: number, check: (path: string) => Promise<void>): Promise<void> {
    this.#read = await this.#writeAnew({ ...this.#snapshot(cut), rows }, check);
    try {
      await prune(this.#files, this.#folder, 1);
      await syncFolder(this.#files, this.#folder);
    } catch (err) {
      // They count no more, and go with the next snapshot.
      this.#log.warn({ err }, 'older files of the store could not be removed');
    }
  }

  /** Whether there is a snapshot of this number. */
  async mayHold(cut: number): Promise<boolean> {
    const { snapshots } = await list(this.#files, this.#folder);
    return snapshots.some(({ sequence }) => sequence === cut);
  }

  /** A snapshot that nothing before it leads to. It counts from the moment it has its name. The rows in it. */
  async #writeAnew(
    snapshot: Omit<SnapshotOptions, 'settle' | 'beforeNaming'>,
    check = async (_path: string): Promise<void> => {},
  ): Promise<number> {
    const { cut } = snapshot;
    let rows: number;
    let next: JournalFile | undefined;
    // The journal comes before the snapshot's name: a snapshot without its journal is damage.
    const beforeNaming = async (path: string) => {
      await check(path);
      next = await this.#createJournal(cut, true);
    };
    try {
      rows = await writeSnapshot({ ...snapshot, settle: async () => cut, beforeNaming });
    } catch (error) {
      await next?.file.close().catch(() => {});
      throw error;
    }
    await this.journal.replace(next!, cut);
    return rows;
  }

  #snapshotOf(database: Database) {
    const cut = database.sequence;
    return { ...this.#snapshot(cut), rows: slicesOf(database, cut) };
  }

  #snapshot(cut: number) {
    return { files: this.#files, folder: this.#folder, cut, at: this.#now(), signal: this.#stop.signal };
  }

  #createJournal(after: number, alone: boolean): Promise<JournalFile> {
    return createJournal(this.#files, this.#folder, { after, at: this.#now(), alone });
  }

  /** Gives up a snapshot that is being made. */
  stop(): void {
    this.#stop.abort(new Error('the store is closing'));
  }

  async close(): Promise<void> {
    await this.#journal?.close();
  }

  /** No store yet, or one whose creation was not finished: the format file comes last. @throws StoreDamaged */
  async #isNew({ formatFile, journals, snapshots }: Listing): Promise<boolean> {
    if (formatFile) return false;
    let lines = 0;
    for (const { path } of journals) {
      await readLines(this.#files, path, () => {
        lines += 1;
      });
    }
    if (snapshots.length > 0 || lines > 1) throw new StoreDamaged('store.json', 0, 'it is missing');
    return true;
  }

  async #create() {
    const journal = await this.#createJournal(0, false);
    try {
      await writeFormat(this.#files, this.#folder);
      return journal;
    } catch (error) {
      await journal.file.close().catch(() => {});
      throw error;
    }
  }

  async #openJournal({ journal: { path, size } }: Recovered) {
    return { file: await this.#files.open(path, 'a', 0o600), path, size };
  }
}
