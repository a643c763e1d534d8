import { fdatasync, openSync, write } from 'node:fs';
import { promisify } from 'node:util';

const [written, synced] = [promisify(write), promisify(fdatasync)];

/** Lines at the end of a file. Those that come while others are on their way to the disk go there together. */
export class Journal {
  readonly #file: number;
  #waiting: string[] = [];
  #next: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  /** Resolves when it is on the disk. */
  append(line: string): Promise<void> {
    this.#waiting.push(line);
    this.#next ??= this.#last = this.#last.then(() => this.#flush());
    return this.#next;
  }

  async #flush(): Promise<void> {
    const lines = this.#waiting.join('');
    this.#waiting = [];
    this.#next = undefined;
    await written(this.#file, Buffer.from(lines));
    await synced(this.#file);
  }
}
