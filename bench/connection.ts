import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** An answer as it came: enough of it for who asks again. */
export interface Answer {
  readonly status: number;
  /** Status line and headers. */
  readonly head: string;
  readonly body: string;
}

const END_OF_HEAD = '\r\n\r\n';
const LENGTH = /\r\ncontent-length: (\d+)/i;
const CLOSES = /\r\nconnection: close/i;

/** The bytes of a request. @param headers without Host and Content-Length */
export function written(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): string {
  const lines = Object.entries({
    Host: '127.0.0.1',
    ...headers,
    // One that has no body says nothing of its length: as browsers and libraries do.
    ...(body !== undefined && { 'Content-Length': String(Buffer.byteLength(body)) }),
  });
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}`).join('\r\n')}${END_OF_HEAD}${body ?? ''}`;
}

/**
 * One kept connection that asks one thing after the other (RFC 9112), and does no more for it than it must: on cores that
 * the server has too, what the load costs is taken from the server. It reads ASCII with a `Content-Length` and nothing
 * else; whatever else comes is an error.
 */
export class Connection {
  readonly #socket: Socket;
  #received = '';
  #waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;
  #length = -1;
  #head = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text) => this.#receive(text as unknown as string));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the connection was closed')));
  }

  static async open(url: string): Promise<Connection> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new Connection(socket);
  }

  /** The server ends one that was not used for a while. */
  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  /** @param bytes as {@link written} gives them */
  ask(bytes: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(bytes, 'latin1');
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.#received = this.#received ? this.#received + text : text;
    if (this.#length < 0) {
      const end = this.#received.indexOf(END_OF_HEAD);
      if (end < 0) return;
      this.#head = this.#received.slice(0, end);
      const [, length] = LENGTH.exec(this.#head) ?? [];
      if (length === undefined) {
        this.#fail(new Error(`an answer without a length: ${this.#head}`));
        return;
      }
      this.#length = Number(length);
      this.#received = this.#received.slice(end + END_OF_HEAD.length);
    }
    if (this.#received.length < this.#length) return;
    const answer = { status: Number(this.#head.slice(9, 12)), head: this.#head, body: this.#received };
    [this.#received, this.#length] = ['', -1];
    if (CLOSES.test(this.#head)) this.#socket.end();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(answer);
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}
