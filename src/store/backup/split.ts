export interface Line {
  /** Without the newline. */
  readonly bytes: Buffer;
  /** False for a last line without its newline. */
  readonly complete: boolean;
}

const NEWLINE = 0x0a;
/** No record comes near it; what has no end of line within it is another kind of file. */
const LONGEST = 64 * 1024 * 1024;

/** The lines of a stream, as many at a time as came with one chunk. @throws RangeError where one is too long to be a line */
export async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly Line[]> {
  let rest: Buffer[] = [];
  let held = 0;
  for await (const chunk of chunks) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const part = chunk.subarray(start, end);
      lines.push({ bytes: held > 0 ? Buffer.concat([...rest, part]) : part, complete: true });
      rest = [];
      held = 0;
      start = end + 1;
    }
    if (start < chunk.length) {
      rest.push(chunk.subarray(start));
      held += chunk.length - start;
      if (held > LONGEST) throw new RangeError('a line without an end');
    }
    if (lines.length > 0) yield lines;
  }
  if (held > 0) yield [{ bytes: Buffer.concat(rest), complete: false }];
}
