import type { QueryResult, QueryResultRow } from 'pg';
import { type Duration, inSeconds } from '../../lib/index.ts';
import { StoreUnavailable } from '../contract.ts';
import { TABLE_NAMES } from '../records.ts';
import type { Batches, StoredRow } from '../whole.ts';
import { type Client, timely } from './client.ts';

/** Rows in the memory of this process at a time. */
const FETCHED = 1000;

/**
 * Every row that is live at `now`, through a cursor of the client's transaction: it sees what that transaction sees.
 * @param step within which each statement must be answered
 * @throws StoreUnavailable when the database says nothing for that long
 */
export async function* readThrough(client: Client, now: number, step: Duration): Batches {
  for (const table of TABLE_NAMES) {
    const cursor = `DECLARE every NO SCROLL CURSOR FOR SELECT id, expires_at, record FROM postern.${table}
       WHERE expires_at IS NULL OR expires_at > ${now}`;
    await inTime(client, cursor, step);
    for (;;) {
      const { rows } = await inTime<{ id: string; expires_at: number | null; record: string }>(
        client,
        `FETCH ${FETCHED} FROM every`,
        step,
      );
      if (rows.length > 0)
        yield rows.map(
          ({ id, expires_at, record }): StoredRow => ({
            table,
            id,
            ...(expires_at !== null && { expiresAt: expires_at }),
            json: record,
          }),
        );
      if (rows.length < FETCHED) break;
    }
    await inTime(client, 'CLOSE every', step);
  }
}

/** Begins to read one state of the whole database. @throws StoreUnavailable as {@link readThrough} */
export async function beginReading(client: Client, step: Duration): Promise<void> {
  await inTime(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', step);
  await inTime(client, withoutLimits(true), step);
}

/**
 * Takes the limits off a start, or off a transaction that reads or writes everything, those of time and those of digits, whatever
 * the database's owner set.
 */
export const withoutLimits = (forTransaction: boolean): string =>
  `SELECT set_config(name, CASE name WHEN 'extra_float_digits' THEN '1' ELSE '0' END, ${forTransaction})
   FROM pg_settings WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout',
     'transaction_timeout', 'extra_float_digits')`;

async function inTime<R extends QueryResultRow>(client: Client, text: string, step: Duration): Promise<QueryResult<R>> {
  try {
    return await client.query<R>(timely(text, step));
  } catch (error) {
    if ((error as Error).message !== 'Query read timeout') throw error;
    throw new StoreUnavailable(`the database said nothing for ${inSeconds(step)} s: not everything could be read`, {
      cause: error,
    });
  }
}
