import { Socket } from 'node:net';
import pg from 'pg';
import { type Duration, seconds } from '../../lib/index.ts';

/** Until the database has answered a goodbye. */
const GOODBYE = seconds(1);

/** A connection that ends although the other side says nothing any more: whoever stops waits for it. */
export class Client extends pg.Client {
  readonly #socket: Socket;

  constructor(config?: pg.ClientConfig) {
    const socket = new Socket();
    super({ ...config, stream: () => socket });
    this.#socket = socket;
  }

  /** The id of its session's process, as it was told when it connected; a pooler tells a number of its own. */
  get announcedProcess(): number | null {
    return (this as unknown as { processID: number | null }).processID;
  }

  override end(): Promise<void>;
  override end(callback: (error: Error) => void): void;
  override end(callback?: (error: Error) => void): Promise<void> | void {
    const late = setTimeout(() => this.#socket.destroy(), GOODBYE).unref();
    this.once('end', () => clearTimeout(late));
    return callback ? super.end(callback) : super.end();
  }
}

/** A statement that has this long to be answered, whatever the database says of its own limits. */
export const timely = (text: string, within: Duration): pg.QueryConfig & { readonly query_timeout: Duration } => ({
  text,
  query_timeout: within,
});
