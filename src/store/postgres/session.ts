import { seconds } from '../../lib/index.ts';
import { type Client, timely } from './client.ts';
import { DatabaseRefused } from './errors.ts';

/** A pooler that has no session left lets wait whoever asks for one. */
const ANSWER_WITHIN = seconds(2);

/**
 * Sees that a connection has a session of its own, as `LISTEN`, locks, settings and prepared statements need it. A pooler
 * that gives every transaction whichever session is free (PgBouncer: `pool_mode = transaction` or `statement`) loses them,
 * and nothing says so.
 *
 * The proof is the process of the session: it never changes, and no two sessions have the same while they live. So
 * nobody is refused wrongly. A pooler that is quiet gives the same session again and again, so another connection takes
 * one in between. Where there is no pooler it is one question.
 * @param another a connection to the same database, not yet connected
 * @throws DatabaseRefused `sessions_pooled`
 */
export async function mustKeepItsSession(client: Client, another: () => Client): Promise<void> {
  // There are poolers that keep a session for whoever has told it a setting, as all of ours are told.
  await client.query(`SET default_transaction_isolation = 'read committed'`);
  const own = await sessionOf(client);
  if (own.startsWith(`${client.announcedProcess} `)) return;
  const beside = another();
  beside.on('error', () => {});
  try {
    const theirs = await take(beside);
    const seen = [await sessionOf(client)];
    await giveBack(beside);
    // Twice: one that gives the session that was idle longest has two to give now.
    seen.push(await sessionOf(client), await sessionOf(client));
    if (theirs === own || seen.some((session) => session !== own)) throw pooled();
  } finally {
    await beside.end().catch(() => {});
  }
}

/** Begins a transaction, and so has a session for its own; undefined where there was none to be had, which proves nothing. */
async function take(client: Client): Promise<string | undefined> {
  try {
    await client.connect();
    await client.query(timely('BEGIN', ANSWER_WITHIN));
    return await sessionOf(client);
  } catch {
    return undefined;
  }
}

const giveBack = (client: Client): Promise<unknown> => client.query(timely('ROLLBACK', ANSWER_WITHIN)).catch(() => {});

/** Its process, and which server's: a pooler may have several. */
async function sessionOf(client: Client): Promise<string> {
  const { rows } = await client.query<{ session: string }>(
    `SELECT pg_backend_pid() || ' of ' || pg_postmaster_start_time() AS session`,
  );
  return rows[0]!.session;
}

const pooled = (): DatabaseRefused =>
  new DatabaseRefused(
    'sessions_pooled',
    'a pooler stands before the database and gives each transaction another session: it must pool by session (PgBouncer: pool_mode = session), or be left out of the URL',
  );
