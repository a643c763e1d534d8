import type { Client } from 'pg';
import { TABLE_NAMES } from '../records.ts';
import type { Batches, StoredRow } from '../whole.ts';

/** Rows in the memory of this process at a time. */
const FETCHED = 1000;

/** Every row that is live at `now`, through a cursor of the client's transaction: it sees what that transaction sees. */
export async function* readThrough(client: Client, now: number): Batches {
  for (const table of TABLE_NAMES) {
    await client.query(
      `DECLARE every NO SCROLL CURSOR FOR SELECT id, expires_at, record FROM postern.${table}
       WHERE expires_at IS NULL OR expires_at > ${now}`,
    );
    for (;;) {
      const { rows } = await client.query<{ id: string; expires_at: number | null; record: string }>(
        `FETCH ${FETCHED} FROM every`,
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
    await client.query('CLOSE every');
  }
}

/** Takes the time limits off a transaction that reads or writes everything; whatever limits the database's owner set. */
export async function withoutLimits(client: Client): Promise<void> {
  await client.query(
    `SELECT set_config(name, '0', true) FROM pg_settings
     WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`,
  );
}
