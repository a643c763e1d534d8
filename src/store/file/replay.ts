import type { RowChange } from '../changes.ts';
import { StoreDamaged } from './errors.ts';
import type { FileOperations } from './files.ts';
import { type DataFile, dataFile } from './folder.ts';
import type { JournalHead, JournalLine, Mark } from './journal-file.ts';
import { type Line, readLines } from './lines.ts';
import { type Database, inBytes, type Loaded } from './memory/index.ts';
import { PlainLines } from './plain-lines.ts';
import { tableOf } from './table-name.ts';

/** A line that cannot be read. */
export interface BadLine {
  readonly file: DataFile;
  readonly offset: number;
  readonly line: number;
  /** False when its newline is missing, as when a process dies while it writes. */
  readonly whole: boolean;
}

/** The end of a journal of which no line says that it is on the disk. */
export interface Unsure {
  readonly path: string;
  readonly from: number;
}

/** What the journals after a snapshot gave. */
export interface Chain {
  /** The journal to go on in. */
  readonly last: { readonly path: string; readonly size: number };
  readonly at: number;
  readonly changes: number;
  /** From here on nothing was ever acknowledged. */
  readonly tail: BadLine | undefined;
  readonly unsure: readonly Unsure[];
  /** Lines that cannot be read and held no commit: the commits around them follow each other. */
  readonly skipped: readonly BadLine[];
  /** Journals that were begun and never used. */
  readonly abandoned: readonly DataFile[];
}

/**
 * Applies every commit after `database.sequence`, in order.
 *
 * Each line says up to which number everything was on the disk when it was written. So a commit that cannot be read is
 * damage when any later line, or the snapshot, says that it had been there; otherwise nobody was ever told that it was
 * kept, and it is the tail.
 * @param through the last number the snapshot knows to have been on the disk
 * @throws StoreDamaged
 */
export async function replay(
  files: FileOperations,
  journals: readonly DataFile[],
  database: Database,
  through: number,
): Promise<Chain> {
  const base = database.sequence;
  const chain = journals.filter(({ sequence }) => sequence >= base);
  if (chain[0]?.sequence !== base) throw new StoreDamaged(dataFile('', 'journal', base).name, 0, 'it is missing');

  const reader = new ChainReader(database, through);
  for (const journal of chain) await reader.read(files, journal);
  return reader.finish();
}

class ChainReader {
  readonly #database: Database;
  #synced: number;
  #at = 0;
  #changes = 0;
  #last: Chain['last'] | undefined;
  #bad: BadLine | undefined;
  #goesOn = false;
  /** Where the first line begins after which nothing was read that says it to be on the disk. */
  #sureTo = 0;
  readonly #unsure: Unsure[] = [];
  readonly #skipped: BadLine[] = [];
  readonly #abandoned: DataFile[] = [];
  readonly #plain = new PlainLines();

  constructor(database: Database, through: number) {
    this.#database = database;
    this.#synced = through;
  }

  async read(files: FileOperations, journal: DataFile): Promise<void> {
    let abandoned = false;
    const take = (line: Line): void => {
      const whole = line.intact;
      if (line.number === 1) abandoned = !this.#begin(journal, whole ? parse<JournalHead>(line) : undefined);
      else if (abandoned) throw new StoreDamaged(dataFile('', 'snapshot', journal.sequence).name, 0, 'it is missing');
      else if (whole) this.#line(journal, line);
      else {
        this.#bad ??= { file: journal, offset: line.offset, line: line.number, whole: line.complete };
        const { swallowed } = line;
        if (swallowed) this.#line(journal, swallowed);
      }
    };
    const size = await readLines(files, journal.path, take, { buffers: this.#database.spare });
    if (size === 0) throw new StoreDamaged(journal.name, 0, 'it is empty');
    if (abandoned) this.#abandoned.push(journal);
    else this.#last = { path: journal.path, size };
    // Its end was on the disk before the next was gone on in.
    if (!abandoned && !this.#goesOn) this.#unsure.push({ path: journal.path, from: this.#sureTo });
  }

  /** @throws StoreDamaged when something that was durable is missing. */
  finish(): Chain {
    const next = this.#database.sequence + 1;
    if (this.#bad && next <= this.#synced) throw new StoreDamaged(this.#bad.file.name, this.#bad.line, UNREADABLE);
    if (this.#goesOn) throw new StoreDamaged(dataFile('', 'journal', next - 1).name, 0, 'it is missing');
    if (next <= this.#synced) throw new StoreDamaged(this.#last!.path, 0, `it ends before commit ${next}`);
    return {
      last: this.#last!,
      at: this.#at,
      changes: this.#changes,
      tail: this.#bad,
      unsure: this.#unsure,
      skipped: this.#skipped,
      abandoned: this.#abandoned,
    };
  }

  /** Reads the first line; false when the journal was begun and never used. */
  #begin(journal: DataFile, head: JournalHead | undefined): boolean {
    if (head?.[1] !== 'journal' || head[2] !== journal.sequence) throw new StoreDamaged(journal.name, 1, UNREADABLE);
    const [, , after, at, alone] = head;
    this.#at = Math.max(this.#at, at);
    if (after === this.#database.sequence) this.#contiguous();
    else if (alone || after < this.#database.sequence) return false;
    else if (!this.#bad)
      throw new StoreDamaged(journal.name, 1, `commit ${this.#database.sequence + 1} is missing before it`);
    this.#synced = Math.max(this.#synced, after);
    this.#goesOn = false;
    this.#sureTo = 0;
    return true;
  }

  #line(journal: DataFile, line: Line): void {
    const read = this.#plain.commit(line.buffer, line.from, line.to) ?? loaded(parse(line));
    const { sequence, at, synced, changes, mark }: LoadedLine = read;
    this.#synced = Math.max(this.#synced, synced);
    this.#at = Math.max(this.#at, at);
    if (sequence === this.#database.sequence + (changes ? 1 : 0)) this.#contiguous();
    // Whole lines on both sides of a gap: what is missing was not torn off, it was taken out.
    else if (!this.#bad)
      throw new StoreDamaged(journal.name, line.number, `commit ${this.#database.sequence + 1} is missing before it`);
    else return;
    this.#goesOn = mark === 'end';
    if (synced >= this.#database.sequence) this.#sureTo = line.offset;
    if (!changes) return;
    this.#database.load(changes, sequence);
    this.#changes += changes.length;
  }

  #contiguous(): void {
    if (this.#bad) this.#skipped.push(this.#bad);
    this.#bad = undefined;
  }
}

const UNREADABLE = 'its checksum does not match';

interface LoadedLine {
  readonly sequence: number;
  readonly at: number;
  readonly synced: number;
  /** Of a commit. */
  readonly changes?: readonly Loaded[];
  readonly mark?: Mark;
}

const parse = <L>({ bytes }: Line): L => JSON.parse(bytes.toString()) as L;

function loaded([, sequence, at, synced, body]: JournalLine): LoadedLine {
  if (typeof body === 'string') return { sequence, at, synced, mark: body };
  const changes = body
    .map(fromFile)
    .map(({ table, id, expiresAt, record }) =>
      record
        ? { table, row: inBytes({ id, version: sequence, expiresAt }, JSON.stringify(record)) }
        : { table, removed: id },
    );
  return { sequence, at, synced, changes };
}

/** A change as it stands in a journal. @throws StoreRefused when its table is unknown. */
export function fromFile(change: Exclude<JournalLine[4], string>[number]): RowChange {
  if ('remove' in change) return { table: tableOf(change.remove), id: change.id };
  const { id, expiresAt, record } = change;
  const row = { table: tableOf(change.put), id, record };
  return expiresAt === undefined ? row : { ...row, expiresAt };
}
