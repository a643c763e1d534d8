import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { days, type Logger, seconds } from '../../lib/index.ts';
import { type Client, timely } from './client.ts';
import { codeOf, DatabaseRefused } from './errors.ts';

const FOLDER = new URL('./migrations/', import.meta.url);
/** Any number, the same in every version: whoever migrates holds this lock. */
const LOCK = 0x70_6f_73_74;
const WAIT_FOR_OTHERS = seconds(60);
/** A migration of a large table takes its time. */
const UNHURRIED = days(1);
/** Whoever waits to change a table makes all others wait who only want to read it: never longer than this at a time. */
const WAIT_FOR_TABLE = seconds(0.5);
/** Taken by another for longer than somebody waited. */
const LOCK_NOT_AVAILABLE = '55P03';
const MAY_NOT = '42501';

interface Migration {
  readonly number: number;
  readonly name: string;
}

interface Options {
  readonly client: Client;
  readonly log: Logger;
  /** There was a store before: a database without one is refused. */
  readonly mustExist: boolean;
}

/**
 * Brings the schema to this version, a number after the other, each in a transaction of its own. Of several processes
 * one does it and the others wait.
 * @throws DatabaseRefused `schema_newer`, `schema_older`, `schema_foreign`, `store_missing`
 */
export async function migrate({ client, log, mustExist }: Options): Promise<void> {
  const known = await migrations();
  if ((await pending(client, known, mustExist)).length === 0) return;
  // Whatever the database's owner set: a way of writing names by which commits would not find their tables.
  await client.query(`SET lock_timeout = ${WAIT_FOR_OTHERS}; SET quote_all_identifiers = off`);
  await client.query({ ...timely('SELECT pg_advisory_lock($1)', 2 * WAIT_FOR_OTHERS), values: [LOCK] });
  try {
    for (const migration of await pending(client, known, mustExist)) {
      await applyBetweenOthers(client, migration).catch((cause) => {
        throw migration.number > 1 && codeOf(cause) === MAY_NOT ? mayNot(client, migration, cause) : cause;
      });
      log.info({ migration: migration.name }, 'the schema of the database was migrated');
    }
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [LOCK]).catch(() => {});
  }
}

async function migrations(): Promise<Migration[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.sql')).toSorted();
  return names.map((name) => ({ number: Number.parseInt(name, 10), name }));
}

/** What is not done yet. Changes nothing. */
async function pending(client: Client, known: readonly Migration[], mustExist: boolean): Promise<Migration[]> {
  const done = await lastDone(client);
  if (done === undefined && mustExist)
    throw new DatabaseRefused(
      'store_missing',
      'the database is empty, but the keys folder belongs to a store that existed: is POSTERN_DATABASE_URL the right one? To begin anew, start once with --init (npm start -- --init)',
    );
  const newest = known.at(-1)!.number;
  if (done !== undefined && done > newest)
    throw new DatabaseRefused(
      'schema_newer',
      `the database was migrated by a newer Postern (schema ${done}; this one knows ${newest}): start that version, or restore a backup`,
    );
  return known.filter(({ number }) => done === undefined || number > done);
}

/** The last migration's number; undefined in a database that is new to us. */
async function lastDone(client: Client): Promise<number | undefined> {
  const { rows: found } = await client.query<{ ours: boolean; used: boolean }>(
    `SELECT to_regclass('postern.migrations') IS NOT NULL AS ours,
       EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace('postern')) AS used`,
  );
  const { ours, used } = found[0]!;
  if (!ours && !used) return undefined;
  const foreign =
    'the database has a schema named postern that another program made: give Postern a database of its own';
  if (!ours) throw new DatabaseRefused('schema_foreign', foreign);
  try {
    const { rows } = await client.query<{ done: number | null }>(
      'SELECT max(number) AS done FROM postern.migrations WHERE name IS NOT NULL',
    );
    return rows[0]!.done ?? undefined;
  } catch (cause) {
    if ((cause as { code?: string }).code !== '42703') throw cause;
    throw new DatabaseRefused('schema_foreign', foreign, { cause });
  }
}

/** Tries again and again while somebody, a backup say, reads what is to be changed. */
async function applyBetweenOthers(client: Client, migration: Migration): Promise<void> {
  const giveUp = performance.now() + WAIT_FOR_OTHERS;
  for (;;) {
    try {
      return await apply(client, migration);
    } catch (error) {
      if (codeOf(error) !== LOCK_NOT_AVAILABLE || performance.now() > giveUp) throw error;
      await pause(2 * WAIT_FOR_TABLE);
    }
  }
}

/** An upgrade is no first start: what is missing there is no right on the tables, which one may well have. */
const mayNot = (client: Client, { number }: Migration, cause: unknown): DatabaseRefused =>
  new DatabaseRefused(
    'schema_older',
    `the schema of the database is that of an earlier Postern (schema ${number - 1}), and ${client.user} may not migrate it (${(cause as Error).message}): run npx postern user list of this version once with the URL of the role that owns the schema postern, grant ${client.user} its rights on the new tables, and start again`,
    { cause },
  );

async function apply(client: Client, { number, name }: Migration): Promise<void> {
  const sql = await readFile(new URL(name, FOLDER), 'utf8');
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
  try {
    await client.query(`SET LOCAL lock_timeout = ${WAIT_FOR_TABLE}`);
    // IF NOT EXISTS asks for the right to make one all the same, which whoever owns the schema may have no longer.
    const { rows } = await client.query<{ missing: boolean }>(`SELECT to_regnamespace('postern') IS NULL AS missing`);
    if (rows[0]!.missing) await client.query('CREATE SCHEMA postern');
    await client.query(
      'CREATE TABLE IF NOT EXISTS postern.migrations (number integer PRIMARY KEY, name text NOT NULL, at timestamptz NOT NULL DEFAULT now())',
    );
    await client.query(timely(sql, UNHURRIED));
    await client.query('INSERT INTO postern.migrations (number, name) VALUES ($1, $2)', [number, name]);
    await client.query(timely('COMMIT', UNHURRIED));
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}
