import { crc32 } from 'node:zlib';
import type { FileOperations } from './files.ts';
import { SpareBuffers } from './memory/index.ts';
import { readAhead } from './read-ahead.ts';

/**
 * Every line of every file is one JSON array whose first element is the CRC-32 of the rest, so that `jq` reads what we
 * write and no changed bit goes unseen (a CRC-32 finds every single one): `["9bd366ae",17,1763719000123,…]`.
 */
export const encodeLine = (rest: string): string => `["${hex(crc32(rest))}",${rest}]\n`;

/** Many lines at a time, in bytes. They lie in a buffer that is there already: fresh memory is dear. */
export class LineBuffer {
  #bytes = Buffer.allocUnsafeSlow(KEPT);

  /** The same as {@link encodeLine} of each. Good until the next time. */
  encode(lines: readonly string[]): Buffer {
    const length = lines.reduce((sum, rest) => sum + FRAME + Buffer.byteLength(rest), 0);
    const bytes = length > KEPT ? Buffer.allocUnsafeSlow(length) : this.#bytes;
    let at = 0;
    for (const rest of lines) {
      const end = at + PREFIX + bytes.write(rest, at + PREFIX);
      bytes.write(`["${hex(crc32(bytes.subarray(at + PREFIX, end)))}",`, at, 'latin1');
      bytes.write(']\n', end, 'latin1');
      at = end + FRAME - PREFIX;
    }
    return bytes.subarray(0, length);
  }
}

export const hex = (value: number): string => value.toString(16).padStart(8, '0');

const PREFIX = '["9bd366ae",'.length;
const FRAME = PREFIX + ']\n'.length;
/** Room for what a busy server writes at a time. */
const KEPT = 256 * 1024;
const [OPEN, CLOSE, QUOTE, COMMA] = Buffer.from('[]",');

/** Whether this is what {@link encodeLine} wrote, to the last bit: a line without its newline. */
function isIntact(bytes: Buffer, from = 0, to = bytes.length): boolean {
  const last = to - 1;
  const framed =
    bytes[from] === OPEN &&
    bytes[from + 1] === QUOTE &&
    bytes[from + 10] === QUOTE &&
    bytes[from + 11] === COMMA &&
    bytes[last] === CLOSE;
  const rest = from + PREFIX;
  return framed && last > rest && readChecksum(bytes, from + 2) === crc32(bytes.subarray(rest, last));
}

/** The elements of an intact line, the checksum first; undefined when it is not intact. */
export const decodeLine = (line: Buffer): unknown[] | undefined =>
  isIntact(line) ? (JSON.parse(line.toString()) as unknown[]) : undefined;

/** Eight digits; NaN unless all are digits as we write them: `A` is `a` with a bit changed. */
function readChecksum(bytes: Buffer, from: number): number {
  let value = 0;
  for (let at = from; at < from + 8; at += 1) {
    const byte = bytes[at]!;
    if (byte >= 0x30 && byte <= 0x39) value = value * 16 + byte - 0x30;
    else if (byte >= 0x61 && byte <= 0x66) value = value * 16 + byte - 0x57;
    else return Number.NaN;
  }
  return value;
}

/** A line where it was read to. Only good until the next one is read. */
export class Line {
  readonly buffer: Buffer;
  /** Where in the buffer it begins. */
  readonly from: number;
  /** Its end, without the newline. */
  readonly to: number;
  /** Counted from 1. */
  readonly number: number;
  /** Where it begins in the file. */
  readonly offset: number;
  /** False for a last line without its newline. */
  readonly complete: boolean;

  constructor(buffer: Buffer, from: number, to: number, number: number, offset: number, complete: boolean) {
    this.buffer = buffer;
    this.from = from;
    this.to = to;
    this.number = number;
    this.offset = offset;
    this.complete = complete;
  }

  /** Without the newline. */
  get bytes(): Buffer {
    return this.buffer.subarray(this.from, this.to);
  }

  /** It is what we wrote, to its end. */
  get intact(): boolean {
    return this.complete && isIntact(this.buffer, this.from, this.to);
  }

  /** The intact line that a damaged one ends with, where the newline between them is none any more. */
  get swallowed(): Line | undefined {
    const { buffer, to } = this;
    if (!this.complete) return undefined;
    for (let from = buffer.indexOf(BEGINNING, this.from + 1); from >= 0 && from < to; ) {
      if (isIntact(buffer, from, to))
        return new Line(buffer, from, to, this.number, this.offset + from - this.from, true);
      from = buffer.indexOf(BEGINNING, from + 1);
    }
    return undefined;
  }
}

const BEGINNING = '["';

interface Options {
  /** Called with the bytes of lines that were all told, newlines and all, and where they begin in the file. */
  readonly told?: (bytes: Buffer, offset: number) => void;
  /** Where they are read to; of nobody else unless given. */
  readonly buffers?: SpareBuffers;
}

/** Reads a file line by line, holding little of it; what comes is read while a part is looked at. The file's length. */
export async function readLines(
  files: FileOperations,
  path: string,
  each: (line: Line) => void,
  { told = () => {}, buffers = new SpareBuffers(0) }: Options = {},
): Promise<number> {
  const file = await files.open(path, 'r');
  const rest = new Rest();
  let position = 0;
  let number = 0;
  const pass = (bytes: Buffer, offset: number) => {
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      number += 1;
      each(new Line(bytes, start, end, number, offset + start, true));
      start = end + 1;
    }
    told(bytes, offset);
  };
  try {
    for await (const chunk of readAhead(file, buffers)) {
      const first = rest.length > 0 ? chunk.indexOf(NEWLINE) + 1 : 0;
      const offset = position - rest.length;
      if (first > 0) pass(rest.takeWith(chunk.subarray(0, first)), offset);
      const last = Math.max(first, chunk.lastIndexOf(NEWLINE) + 1);
      pass(chunk.subarray(first, last), position + first);
      rest.add(chunk.subarray(last));
      position += chunk.length;
    }
    const offset = position - rest.length;
    const torn = rest.takeWith(NOTHING);
    if (torn.length > 0) each(new Line(torn, 0, torn.length, number + 1, offset, false));
    return position;
  } finally {
    await file.close();
  }
}

const NOTHING = Buffer.alloc(0);

/** The beginning of a line that does not end in its chunk. One buffer for all of them: each may be a megabyte. */
class Rest {
  length = 0;
  #buffer = Buffer.alloc(0);

  add(bytes: Buffer): void {
    const length = this.length + bytes.length;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(2 * length);
      this.#buffer.copy(larger, 0, 0, this.length);
      this.#buffer = larger;
    }
    bytes.copy(this.#buffer, this.length);
    this.length = length;
  }

  /** All of it and these, which end it. Good until the next is added. */
  takeWith(end: Buffer): Buffer {
    this.add(end);
    const { length } = this;
    this.length = 0;
    return this.#buffer.subarray(0, length);
  }
}

const NEWLINE = 0x0a;
