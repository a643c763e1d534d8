import { type Duration, type Logger, milliseconds, seconds } from '../../lib/index.ts';
import type { Client } from './client.ts';
import type { Clocks } from './clocks.ts';
import { DatabaseRefused } from './errors.ts';
import { share } from './others.ts';
import { mustKeepItsSession } from './session.ts';
import { isWatched, type WatchedTable } from './watched.ts';

interface Options {
  /** @param within how long each statement may take */
  readonly connect: (within: Duration) => Client;
  readonly clocks: Clocks;
  readonly log: Logger;
  /** Another process, or this one, changed a table. */
  readonly changed: (table: WatchedTable) => void;
  /** From now on every change is heard of. */
  readonly listening: () => void;
  /** Changes may be missed from now on, until {@link Options.listening}. */
  readonly deaf: () => void;
}

/** A connection may die without a word: it is asked this often, and has this long to answer. */
const ASK_EVERY = seconds(5);
const ANSWER_WITHIN = seconds(2);
const SLOWEST_RETRY = seconds(1);

/** The connection that hears of changes. It comes back by itself; until then nothing may be believed to be unchanged. */
export class Notifications {
  readonly #options: Options;
  #client: Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  /** The refusal that was told last. */
  #told: string | undefined;
  #closed = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Resolves after the first attempt, whatever came of it. */
  async start(): Promise<void> {
    const connect = () => this.#options.connect(ANSWER_WITHIN);
    const client = connect();
    this.#client = client;
    const lost = (error?: Error): void => this.#lost(client, error);
    client.on('error', lost);
    client.on('end', () => lost());
    client.on('notification', ({ payload = '' }) => {
      for (const table of payload.split(' ')) if (isWatched(table)) this.#options.changed(table);
    });
    try {
      await client.connect();
      // A pooler may have been told another mode since the start.
      await mustKeepItsSession(client, connect);
      await client.query('LISTEN postern');
      await share(client);
    } catch (error) {
      lost(error as Error);
      return;
    }
    if (this.#client !== client) return;
    this.#failures = 0;
    this.#told = undefined;
    this.#options.listening();
    this.#later(ASK_EVERY, () => this.#ask(client));
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => {});
  }

  async #ask(client: Client): Promise<void> {
    try {
      await this.#options.clocks.compare(client);
      if (this.#client === client) this.#later(ASK_EVERY, () => this.#ask(client));
    } catch (error) {
      this.#lost(client, error as Error);
    }
  }

  #lost(client: Client, error?: Error): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    client.end().catch(() => {});
    this.#options.deaf();
    if (this.#closed) return;
    // What somebody has to do something about is no passing failure, and is told when it is known.
    const refusal = error instanceof DatabaseRefused ? error.code : undefined;
    if (this.#failures === 0 || (refusal && refusal !== this.#told))
      this.#options.log.warn({ err: error }, 'changes by other processes are not heard of: connecting again');
    this.#told = refusal ?? this.#told;
    this.#failures += 1;
    this.#later(Math.min(milliseconds(100 * this.#failures), SLOWEST_RETRY), () => this.start());
  }

  #later(wait: number, work: () => Promise<void>): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void work(), wait).unref();
  }
}
