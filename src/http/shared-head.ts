import type { ServerResponse } from 'node:http';

/** Where Node keeps the head of an answer from the moment it was put together until it is sent. */
interface Headed extends ServerResponse {
  _header?: string | null;
}

/**
 * The head of answers that differ in their body alone. Node puts it together for the first of each length in each second,
 * which is what its `Date` tells, and the others have the same text: to put it together anew is a fifth of what a document
 * costs.
 */
export class SharedHead {
  readonly #status: number;
  readonly #headers: readonly string[];
  readonly #now: () => number;
  readonly #texts = new Map<number, string>();
  #second = 0;

  /**
   * @param headers names and values in turn
   * @param now for tests
   */
  constructor(status: number, headers: readonly string[], now = Date.now) {
    [this.#status, this.#headers, this.#now] = [status, headers, now];
  }

  /**
   * Instead of `writeHead`.
   * @param length of the body, in bytes
   */
  write(res: Headed, length: number): void {
    this.#forgetOld();
    // It also says that the connection stays open, and holds no header that was set for one answer.
    const shared = res.shouldKeepAlive && res.getHeaderNames().length === 0;
    const known = shared ? this.#texts.get(length) : undefined;
    if (known !== undefined) {
      res.statusCode = this.#status;
      res._header = known;
      return;
    }
    res.writeHead(this.#status, [...this.#headers, 'Content-Length', String(length)]);
    if (shared && res._header) this.#texts.set(length, res._header);
  }

  #forgetOld(): void {
    const second = Math.floor(this.#now() / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.#texts.clear();
  }
}
