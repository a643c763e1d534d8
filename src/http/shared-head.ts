import type { ServerResponse } from 'node:http';

/** Where Node keeps the head of an answer once it was put together. */
interface Headed extends ServerResponse {
  _header?: string | null;
}

/**
 * The head of answers that differ in their body alone. Node puts it together for the first of each length in each second of
 * its `Date`, and the others have the same text: to put it together anew is a tenth of what a document costs.
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
    const shared = res.shouldKeepAlive && !res.headersSent && res.getHeaderNames().length === 0;
    const known = shared ? this.#texts.get(length) : undefined;
    if (known !== undefined) {
      res.statusCode = this.#status;
      res._header = known;
      return;
    }
    // Node's own date is that of its last look at the clock, which may come after the first answer of a second.
    const date = new Date(this.#second * 1000).toUTCString();
    res.writeHead(this.#status, [...this.#headers, 'Content-Length', String(length), 'Date', date]);
    if (shared && res._header) this.#texts.set(length, res._header);
  }

  #forgetOld(): void {
    const second = Math.floor(this.#now() / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.#texts.clear();
  }
}
