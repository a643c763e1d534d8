import { type Clock, hours, type Logger, seconds } from '../../lib/index.ts';
import type { Client } from './client.ts';

const APART = seconds(5);
const TELL_EVERY = hours(1);

/**
 * Holds this process's clock against the database's, which all processes have in common. They may part at any time: a machine
 * sleeps, its clock is set; and a process goes by none that was set back (`steadyClock`).
 */
export class Clocks {
  readonly #now: Clock;
  readonly #log: Logger;
  #toldAt: number | undefined;

  constructor({ now, log }: { readonly now: Clock; readonly log: Logger }) {
    this.#now = now;
    this.#log = log;
  }

  /** Warns where they are apart, once an hour while that lasts. */
  async compare(client: Client): Promise<void> {
    const earliest = this.#now();
    const { rows } = await client.query<{ clock: number }>(
      'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS clock',
    );
    const { clock } = rows[0]!;
    // However long the answer took.
    const apart = Math.round(clock - Math.min(Math.max(clock, earliest), this.#now()));
    if (Math.abs(apart) > APART) this.#tell(apart, clock);
    else if (this.#toldAt !== undefined) {
      this.#toldAt = undefined;
      this.#log.info({}, 'this clock and the database’s agree again');
    }
  }

  #tell(apart: number, clock: number): void {
    const at = performance.now();
    if (this.#toldAt !== undefined && at - this.#toldAt < TELL_EVERY) return;
    this.#toldAt = at;
    const wasSet = Math.abs(clock - Date.now()) <= APART;
    this.#log.warn(
      { apart },
      wasSet
        ? 'this machine’s clock was set, and agrees with the database’s; this process goes by the time from before: restart it'
        : 'this clock and the database’s are seconds apart: set them by NTP',
    );
  }
}
