import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Refusal, type SealingKey, sameText } from '../../lib/index.ts';
import { knownTable } from '../changes.ts';
import { decodeLine } from '../file/lines.ts';
import type { Batches, StoredRow } from '../whole.ts';
import { type About, END, FORMAT, KIND, type Manifest, nameOf, newMac } from './format.ts';
import { splitLines } from './split.ts';

/** A backup that was read to its end and found to be whole. */
export interface Backup {
  readonly about: About;
  readonly manifest: Manifest;
  /** The HMAC in its last line: names this very backup. */
  readonly digest: string;
  readonly bytes: number;
  /** All rows, read anew. @throws Refusal when the file is no longer what it was */
  rows(): Batches;
}

const CHUNK = 1024 * 1024;

/**
 * Reads a backup from the first to the last byte, and changes nothing.
 * @param key derived from the master key it was made under
 * @throws Refusal `backup_unreadable`, `backup_foreign`, `backup_newer`, `backup_truncated`, `backup_damaged`,
 * `backup_altered`, `master_key_mismatch`
 */
export async function openBackup(path: string, key: SealingKey): Promise<Backup> {
  const reader = new Reader(path, key);
  for await (const _ of reader.rows());
  const { about, end } = reader;
  const found = await stat(path);
  return {
    about: about!,
    manifest: end!.manifest,
    digest: end!.mac,
    bytes: found.size,
    async *rows() {
      if (!found.isFile())
        throw refused('backup_unreadable', path, 'is no file, and can be read only once: write it to a file first');
      const again = new Reader(path, key);
      yield* again.rows();
      if (again.end?.mac !== end!.mac) throw refused('backup_altered', path, 'was replaced while it was read');
    },
  };
}

const refused = (code: string, path: string, why: string, cause?: unknown): Refusal =>
  new Refusal(code, `${path} ${why}`, { cause });

class Reader {
  about: About | undefined;
  end: { readonly manifest: Manifest; readonly mac: string } | undefined;
  readonly #path: string;
  readonly #key: SealingKey;
  readonly #counts = new Map<string, number>();
  #number = 0;

  constructor(path: string, key: SealingKey) {
    this.#path = path;
    this.#key = key;
  }

  async *rows(): Batches {
    const mac = newMac(this.#key);
    for await (const lines of this.#lines()) {
      const batch: StoredRow[] = [];
      for (const { bytes, complete } of lines) {
        const line = this.#decode(bytes, complete);
        if (line[1] === END) {
          this.#finish(line, mac.update(JSON.stringify(line[2])).digest('hex'));
          continue;
        }
        mac.update(bytes).update('\n');
        if (this.about) batch.push(this.#row(line));
        else this.#begin(line);
      }
      if (batch.length > 0) yield batch;
    }
    if (!this.about) throw this.#refused('foreign', 'is no backup of Postern: it is empty');
    if (!this.end) throw this.#truncated();
  }

  async *#lines() {
    try {
      yield* splitLines(createReadStream(this.#path, { highWaterMark: CHUNK }));
    } catch (cause) {
      if (cause instanceof RangeError) throw this.#noBackup();
      if (cause instanceof Refusal) throw cause;
      const code = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
      const words: Readonly<Record<string, string>> = {
        ENOENT: 'is not there',
        EISDIR: 'is a folder, not a backup',
        EACCES: 'cannot be read: permission denied',
      };
      throw refused('backup_unreadable', this.#path, words[code] ?? `cannot be read (${code})`, cause);
    }
  }

  #decode(bytes: Buffer, complete: boolean): unknown[] {
    this.#number += 1;
    const line = complete ? decodeLine(bytes) : undefined;
    if (line && this.end) throw this.#refused('damaged', `is damaged: line ${this.#number} comes after its end`);
    if (line) return line;
    if (!this.about && !bytes.includes(KIND)) throw this.#noBackup();
    if (!complete && !this.end) throw this.#truncated();
    throw this.#refused('damaged', `is damaged: the checksum of line ${this.#number} does not match`);
  }

  #begin(line: unknown[]): void {
    const [, kind, format, about] = line as [string, string, number, About];
    if (kind !== KIND) throw this.#noBackup();
    if (format > FORMAT) throw this.#newer(`format ${format}, this program reads ${FORMAT}`);
    if (about.key !== nameOf(this.#key))
      throw this.#refused(
        'master_key_mismatch',
        'was made under another master key: put the keys folder (or POSTERN_MASTER_KEY) in place that belongs to it',
      );
    this.about = about;
  }

  #row(line: unknown[]): StoredRow {
    const [, name, id, expiresAt, record] = line as [string, string, string, number | null, object];
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    try {
      const table = knownTable(name);
      return { table, id, ...(expiresAt !== null && { expiresAt }), json: JSON.stringify(record) };
    } catch {
      throw this.#newer(`it has a table ${name} that this program does not know`);
    }
  }

  #finish(line: unknown[], mac: string): void {
    const [, , manifest, said] = line as [string, string, Manifest, string];
    if (!this.about) throw this.#noBackup();
    const counted = [...this.#counts].every(
      ([name, count]) => (manifest.rows as Record<string, number>)[name] === count,
    );
    const total = [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
    if (!sameText(mac, said) || !counted || total !== manifest.total)
      throw this.#refused('backup_altered', 'was changed after it was made: not one row of it is believed');
    this.end = { manifest, mac };
  }

  #truncated(): Refusal {
    return this.#refused('truncated', `ends too early: it was cut short after line ${this.#number}`);
  }

  #newer(why: string): Refusal {
    return this.#refused('newer', `was made by a newer Postern (${why}): restore it with that version`);
  }

  #noBackup(): Refusal {
    return this.#refused('foreign', 'is no backup of Postern');
  }

  #refused(what: string, why: string): Refusal {
    return refused(what.includes('_') ? what : `backup_${what}`, this.#path, why);
  }
}
