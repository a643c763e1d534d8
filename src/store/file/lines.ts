import { crc32 } from 'node:zlib';
import type { FileOperations } from './files.ts';

/**
 * Every line of every file is one JSON array whose first element is the CRC-32 of the rest, so that `jq` reads what we
 * write and no changed bit goes unseen (a CRC-32 finds every single one): `["9bd366ae",17,1763719000123,…]`.
 */
export const encodeLine = (rest: string): string => `["${hex(crc32(rest))}",${rest}]\n`;

export const hex = (value: number): string => value.toString(16).padStart(8, '0');

const PREFIX = '["9bd366ae",'.length;
const [OPEN, CLOSE, QUOTE, COMMA] = Buffer.from('[]",');

/** Whether this is what {@link encodeLine} wrote, to the last bit. `line` is without its newline. */
export function isIntact(line: Buffer): boolean {
  const last = line.length - 1;
  const framed =
    line[0] === OPEN && line[1] === QUOTE && line[10] === QUOTE && line[11] === COMMA && line[last] === CLOSE;
  return framed && last > PREFIX && readChecksum(line) === crc32(line.subarray(PREFIX, last));
}

/** The elements of an intact line, the checksum first; undefined when it is not intact. */
export const decodeLine = (line: Buffer): unknown[] | undefined =>
  isIntact(line) ? (JSON.parse(line.toString()) as unknown[]) : undefined;

/** The eight digits from the third byte on; NaN unless all are digits as we write them: `A` is `a` with a bit changed. */
function readChecksum(line: Buffer): number {
  let value = 0;
  for (let at = 2; at < 10; at += 1) {
    const byte = line[at]!;
    if (byte >= 0x30 && byte <= 0x39) value = value * 16 + byte - 0x30;
    else if (byte >= 0x61 && byte <= 0x66) value = value * 16 + byte - 0x57;
    else return Number.NaN;
  }
  return value;
}

export interface Line {
  /** Without the newline. Only good until the next line is read. */
  readonly bytes: Buffer;
  /** Counted from 1. */
  readonly number: number;
  /** Where it begins in the file. */
  readonly offset: number;
  /** False for a last line without its newline. */
  readonly complete: boolean;
}

const CHUNK = 1024 * 1024;

/** Reads a file line by line, holding little of it; the next chunk is read while this one is looked at. The file's length. */
export async function readLines(files: FileOperations, path: string, each: (line: Line) => void): Promise<number> {
  const file = await files.open(path, 'r');
  const buffers = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)] as const;
  const read = (turn: number, position: number) => file.read(buffers[turn % 2 === 0 ? 0 : 1], 0, CHUNK, position);
  let next = read(0, 0);
  try {
    const rest = new Rest();
    let position = 0;
    let number = 0;
    for (let turn = 0; ; turn += 1) {
      const { bytesRead } = await next;
      if (bytesRead === 0) break;
      const chunk = buffers[turn % 2 === 0 ? 0 : 1].subarray(0, bytesRead);
      next = read(turn + 1, position + bytesRead);
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        const offset = position + start - rest.length;
        const bytes = rest.length > 0 ? rest.takeWith(chunk.subarray(0, end)) : chunk.subarray(start, end);
        number += 1;
        each({ bytes, number, offset, complete: true });
        start = end + 1;
      }
      rest.add(chunk.subarray(start));
      position += bytesRead;
    }
    const offset = position - rest.length;
    if (rest.length > 0) each({ bytes: rest.takeWith(Buffer.alloc(0)), number: number + 1, offset, complete: false });
    return position;
  } finally {
    await next.catch(() => {});
    await file.close();
  }
}

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
