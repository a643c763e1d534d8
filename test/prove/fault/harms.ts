/** What is done to a database and the line to it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { DatabaseServer } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';
import type { Stage } from '../set-ups.ts';

export interface Harm {
  readonly name: string;
  /** What may be answered meanwhile. */
  readonly answers: readonly string[];
  /** The same for what only reads, where that differs. */
  readonly toReaders?: readonly string[];
  /** Whether no process can serve meanwhile, and /readyz must say so. */
  readonly down: boolean;
  /** Begins it; what is given back ends it. */
  begin(stage: Stage, server: DatabaseServer): Promise<() => Promise<unknown>>;
}

const REFUSED = ['503'];
const EITHER = ['200', '503'];
const SLOW_MS = 150;
const LOCKED_S = 4;

export const HARMS: readonly Harm[] = [
  {
    name: 'gone: PostgreSQL is stopped',
    answers: REFUSED,
    down: true,
    async begin(_, server) {
      await server.stop();
      return () => server.start();
    },
  },
  {
    name: 'half-open: nothing comes back on the line',
    answers: REFUSED,
    down: true,
    async begin({ line }) {
      line!.mode = 'swallow';
      return async () => {
        line!.mode = 'forward';
        line!.cut();
      };
    },
  },
  {
    name: 'read-only, as a standby is',
    answers: REFUSED,
    toReaders: EITHER,
    down: true,
    async begin({ database }) {
      const { name, query } = database!;
      await query(`ALTER DATABASE ${name} SET default_transaction_read_only = true`);
      await query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'postern'`);
      return () => query(`BEGIN READ WRITE; ALTER DATABASE ${name} SET default_transaction_read_only = false; COMMIT`);
    },
  },
  {
    name: `slow: every answer ${SLOW_MS} ms late`,
    answers: ['200'],
    down: false,
    async begin({ line }) {
      line!.delay = SLOW_MS;
      return async () => {
        line!.delay = 0;
      };
    },
  },
  {
    name: `pool exhausted: tokens locked for ${LOCKED_S} s`,
    answers: EITHER,
    down: false,
    async begin({ database }) {
      const locked = database!.query(
        `BEGIN; LOCK TABLE postern.access_tokens, postern.refresh_tokens; SELECT pg_sleep(${LOCKED_S}); COMMIT`,
      );
      await until(
        async () => (await database!.query(`SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'`)).rowCount !== 0,
      );
      return () => locked;
    },
  },
  {
    name: 'cut at COMMIT, before and after it, 20 times a second',
    answers: EITHER,
    down: false,
    async begin({ line }) {
      let cutting = true;
      const cuts = (async () => {
        for (let i = 0; cutting; i += 1) {
          line!.mode = i % 2 ? 'cut-answers' : 'cut-requests';
          await pause(2);
          line!.mode = 'forward';
          await pause(48);
        }
      })();
      // So that many are under way when it happens.
      await pause(1000);
      return async () => {
        cutting = false;
        await cuts;
      };
    },
  },
];
