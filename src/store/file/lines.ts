import { crc32 } from 'node:zlib';
import type { FileOperations } from './files.ts';

/**
 * Every line of every file is one JSON array whose first element is the CRC-32 of the rest, so that `jq` reads what we
 * write and no changed bit goes unseen (a CRC-32 finds every single one): `["9bd366ae",17,1763719000123,…]`.
 */
export const encodeLine = (rest: string): string => `["${checksum(rest)}",${rest}]\n`;

const checksum = (bytes: string | Uint8Array): string => hex(crc32(bytes));

export const hex = (value: number): string => value.toString(16).padStart(8, '0');

const PREFIX = '["9bd366ae",'.length;

/** What {@link encodeLine} wrote, the checksum first; undefined when a single bit differs. `line` is without its newline. */
export function decodeLine(line: Buffer): unknown[] | undefined {
  if (line.length <= PREFIX) return undefined;
  const frame = line.toString('latin1', 0, PREFIX) + line.toString('latin1', line.length - 1);
  if (frame !== `["${checksum(line.subarray(PREFIX, -1))}",]`) return undefined;
  try {
    return JSON.parse(line.toString()) as unknown[];
  } catch {
    return undefined;
  }
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

/** Reads a file line by line without ever holding more of it than a chunk. */
export async function readLines(files: FileOperations, path: string, each: (line: Line) => void): Promise<number> {
  const file = await files.open(path, 'r');
  try {
    let buffer = Buffer.allocUnsafe(CHUNK);
    let held = 0;
    let offset = 0;
    let number = 0;
    for (;;) {
      if (held === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
      const { bytesRead } = await file.read(buffer, held, buffer.length - held, offset + held);
      if (bytesRead === 0) break;
      const scanFrom = held;
      held += bytesRead;
      let start = 0;
      for (let end = find(buffer, scanFrom, held); end >= 0; end = find(buffer, start, held)) {
        number += 1;
        each({ bytes: buffer.subarray(start, end), number, offset: offset + start, complete: true });
        start = end + 1;
      }
      buffer.copyWithin(0, start, held);
      held -= start;
      offset += start;
    }
    if (held > 0) each({ bytes: buffer.subarray(0, held), number: number + 1, offset, complete: false });
    return offset + held;
  } finally {
    await file.close();
  }
}

function find(buffer: Buffer, from: number, held: number): number {
  const at = buffer.indexOf(0x0a, from);
  return at < held ? at : -1;
}
