/** Of each buffer, in bytes. */
export const BUFFER = 1024 * 1024;
/** So many wait for rows; those beyond are read into again. */
const WAITING = 4;

/**
 * Buffers of a megabyte between two uses: files are read into new ones, and what was looked at is where rows are put next. So
 * memory is found by the threads that read, while rows are taken in, and each of it once. A kernel that has to find it, four
 * kilobytes at a time, takes longer than all the rest of a start.
 */
export class SpareBuffers {
  readonly #waiting: number;
  readonly #spare: Buffer[] = [];
  #over = false;

  /** @param waiting how many are kept for rows: none where nobody puts any */
  constructor(waiting = WAITING) {
    this.#waiting = waiting;
  }

  /** One to read into. */
  take(): Buffer {
    const another = this.#spare.length > this.#waiting ? this.#spare.pop() : undefined;
    return another ?? newBuffer();
  }

  /** One that was used before, to put rows in, where there is one. */
  used(): Buffer | undefined {
    return this.#spare.pop();
  }

  /** Nobody looks at what is in it any more. */
  give(buffer: Buffer): void {
    if (!this.#over && buffer.length === BUFFER) this.#spare.push(buffer);
  }

  /** All is read: what is left goes, and nothing is kept from now on. */
  end(): void {
    this.#over = true;
    this.#spare.length = 0;
  }
}

/** Of shared memory, though it is shared with nobody: V8 collects garbage at every 64 MB of any other. */
const newBuffer = (): Buffer => Buffer.from(new SharedArrayBuffer(BUFFER));
