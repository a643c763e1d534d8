import { TABLE_NAMES, type TableName } from '../records.ts';
import type { Loaded, RowBytes } from './memory/index.ts';

interface PlainCommit {
  readonly sequence: number;
  readonly at: number;
  readonly synced: number;
  readonly changes: readonly Loaded[];
}

const text = (ascii: string): Buffer => Buffer.from(ascii, 'latin1');
const [QUOTE, BACKSLASH, ZERO, NINE, FIRST, LAST] = Buffer.from('"\\09 ~');
const [OPEN, CLOSE, BEGIN, END] = Buffer.from('[]{}');
const AFTER_CHECKSUM = '["9bd366ae",'.length;
/** Longer texts are ended by a search rather than byte by byte. */
const SHORT = 48;
const MOST_DIGITS = 15;

const NAMES = TABLE_NAMES.map((table) => ({ table, text: text(`${table}"`) }));

/** Not as we mostly write it. */
const NOT_PLAIN = new Error('not plain');

/**
 * Reads intact lines as we nearly always write them (no escapes in an id, no fractions of a millisecond) without making
 * anything of their records. Of any other line it gives undefined: JSON.parse reads it.
 */
export class PlainLines {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #last = NAMES[0]!;

  /** A line of a journal: `["crc",sequence,at,synced,[change,…]]`. */
  commit(line: Buffer, from = 0, to = line.length): PlainCommit | undefined {
    return this.#read(line, from, to, () => {
      const sequence = this.#number();
      const at = this.#after(COMMA_TEXT).#number();
      const synced = this.#after(COMMA_TEXT).#number();
      this.#after(LIST);
      const changes = [this.#change(sequence)];
      while (this.#is(COMMA_TEXT)) changes.push(this.#change(sequence));
      this.#after(END_OF_LIST);
      return { sequence, at, synced, changes };
    });
  }

  /** A line of a snapshot: `["crc","table","id",version,expiresAt,record]`. */
  row(line: Buffer, from = 0, to = line.length): { readonly table: TableName; readonly row: RowBytes } | undefined {
    return this.#read(line, from, to, () => {
      const table = this.#after(QUOTE_TEXT).#table();
      this.#after(COMMA_QUOTE);
      const id = this.#at;
      const idEnd = this.#passText();
      const version = this.#after(COMMA_TEXT).#number();
      const expiresAt = this.#after(COMMA_TEXT).#is(NULL) ? undefined : this.#number();
      const json = this.#after(COMMA_TEXT).#at;
      // It ends where the line does: whoever wrote the checksum wrote one object there.
      const jsonEnd = to - 1;
      if (line[json] !== BEGIN || line[jsonEnd - 1] !== END || line[jsonEnd] !== CLOSE) throw NOT_PLAIN;
      this.#at = to;
      return { table, row: { bytes: line, id, idEnd, json, jsonEnd, version, expiresAt } };
    });
  }

  #read<R>(line: Buffer, from: number, to: number, work: () => R): R | undefined {
    this.#bytes = line;
    this.#at = from + AFTER_CHECKSUM;
    try {
      const read = work();
      return this.#at === to ? read : undefined;
    } catch (error) {
      if (error === NOT_PLAIN) return undefined;
      throw error;
    }
  }

  #change(sequence: number): Loaded {
    if (this.#is(REMOVE)) {
      const table = this.#table();
      const removed = this.#after(ID).#text();
      this.#after(END_TEXT);
      return { table, removed };
    }
    const table = this.#after(PUT).#table();
    const id = this.#after(ID).#at;
    const idEnd = this.#passText();
    const expiresAt = this.#is(EXPIRES_AT) ? this.#number() : undefined;
    const json = this.#after(RECORD).#at;
    const jsonEnd = this.#passObject();
    this.#after(END_TEXT);
    return { table, row: { bytes: this.#bytes, id, idEnd, json, jsonEnd, version: sequence, expiresAt } };
  }

  /** Passes what comes next if it is this. */
  #is(expected: Buffer): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    for (let i = 0; i < expected.length; i += 1) if (bytes[at + i] !== expected[i]) return false;
    this.#at = at + expected.length;
    return true;
  }

  #after(expected: Buffer): this {
    if (!this.#is(expected)) throw NOT_PLAIN;
    return this;
  }

  #number(): number {
    const bytes = this.#bytes;
    const from = this.#at;
    let at = from;
    let value = 0;
    for (let byte = bytes[at]!; byte >= ZERO! && byte <= NINE!; byte = bytes[at]!) {
      value = value * 10 + byte - ZERO!;
      at += 1;
    }
    this.#at = at;
    if (at === from || at - from > MOST_DIGITS) throw NOT_PLAIN;
    return value;
  }

  /** The name of a table, to the quote that ends it. Mostly it is that of the line before. */
  #table(): TableName {
    if (this.#is(this.#last.text)) return this.#last.table;
    const known = NAMES.find((one) => this.#is(one.text));
    if (!known) throw NOT_PLAIN;
    this.#last = known;
    return known.table;
  }

  #text(): string {
    const from = this.#at;
    return this.#bytes.toString('latin1', from, this.#passText());
  }

  /** A text that began with a quote, to the quote that ends it; where that is. */
  #passText(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    for (let byte = bytes[at]; byte !== QUOTE; byte = bytes[at]) {
      if (byte === undefined || byte < FIRST! || byte > LAST! || byte === BACKSLASH) throw NOT_PLAIN;
      at += 1;
    }
    this.#at = at + 1;
    return at;
  }

  /** To the end of an object; where that is. It is JSON: whoever wrote the checksum wrote it. */
  #passObject(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    if (bytes[at] !== BEGIN) throw NOT_PLAIN;
    for (let depth = 0; ; ) {
      const byte = bytes[at];
      at += 1;
      if (byte === QUOTE) at = endOfText(bytes, at);
      else if (byte === BEGIN || byte === OPEN) depth += 1;
      else if (byte === END || byte === CLOSE) {
        depth -= 1;
        if (depth === 0) break;
      } else if (byte === undefined) throw NOT_PLAIN;
    }
    this.#at = at;
    return at;
  }
}

/** Behind the quote that ends a text. */
function endOfText(bytes: Buffer, from: number): number {
  let at = from;
  for (const soon = from + SHORT; at < soon; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at += 1;
    else if (byte === undefined) throw NOT_PLAIN;
  }
  const end = bytes.indexOf(QUOTE!, at);
  if (end < 0) throw NOT_PLAIN;
  if (bytes[end - 1] !== BACKSLASH) return end + 1;
  for (; bytes[at] !== QUOTE; at += 1) {
    if (bytes[at] === BACKSLASH) at += 1;
    else if (at >= bytes.length) throw NOT_PLAIN;
  }
  return at + 1;
}

const COMMA_TEXT = text(',');
const QUOTE_TEXT = text('"');
const COMMA_QUOTE = text(',"');
const END_TEXT = text('}');
const LIST = text(',[');
const END_OF_LIST = text(']]');
const NULL = text('null');
const PUT = text('{"put":"');
const REMOVE = text('{"remove":"');
const ID = text(',"id":"');
const EXPIRES_AT = text(',"expiresAt":');
const RECORD = text(',"record":');
