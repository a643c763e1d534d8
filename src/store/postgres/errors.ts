import pg from 'pg';
import { Refusal, seconds } from '../../lib/index.ts';
import { StoreUnavailable } from '../contract.ts';

/** Raised by `postern.commit`; its detail is the place of the change in the list. */
export const CONFLICT = 'PN001';

/** The database cannot be used as it is. The message says what to do, and never holds the password. */
export class DatabaseRefused extends Refusal {
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.name = 'DatabaseRefused';
  }
}

/** Nothing was sent: there was no connection to send it on. */
export class NotConnected extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NotConnected';
  }
}

/** SQLSTATE, or the system's code. */
export const codeOf = (error: unknown): string => (error as { code?: string } | undefined)?.code ?? '';

/**
 * Whether the server itself said that the statement failed, so that it did. Anything else (a cut connection, no answer,
 * a backend that was terminated) may have come after the COMMIT.
 */
export const isAnswered = (error: unknown): error is pg.DatabaseError =>
  error instanceof pg.DatabaseError && error.severity === 'ERROR';

/** As every server says them whose words are English; others have words of their own, which go into this field too. */
const SEVERITIES: readonly unknown[] = ['ERROR', 'FATAL', 'PANIC'];
const STILL_THERE = { text: 'SELECT 1', query_timeout: seconds(0.2) };

/**
 * The same error, of which {@link isAnswered} is true where the server has another word for it: after an ERROR, and no other
 * severity, the connection goes on.
 */
export async function wasAnswered(client: pg.ClientBase, error: unknown): Promise<unknown> {
  if (!(error instanceof pg.DatabaseError) || SEVERITIES.includes(error.severity)) return error;
  await client.query(STILL_THERE).then(
    () => {
      error.severity = 'ERROR';
    },
    () => {},
  );
  return error;
}

/** Serialization failure and deadlock: one of two was chosen to try again. */
export const isRace = (error: unknown): boolean => isAnswered(error) && /^40(001|P01)$/.test(codeOf(error));

/** The server has become a standby, or its owner wants no more written. */
export const isReadOnly = (error: unknown): boolean => codeOf(error) === '25006';

/** A connection after this is not used again: it is broken, or leads to where nothing can be written. */
export const spoilsConnection = (error: unknown): boolean => !isAnswered(error) || isReadOnly(error);

/** It has as many connections as it, the database or the role may have. */
export const NO_ROOM = '53300';

const GONE = 'the tables of the database are gone, or not ours';

const WORDS: Readonly<Record<string, string>> = {
  '3F000': GONE,
  '42P01': GONE,
  '42703': GONE,
  '42883': GONE,
  '25006': 'the database is read-only',
  '42501': 'a permission is missing in the database',
  '53100': 'the disk of the database is full',
  [NO_ROOM]: 'the database has no connection left',
  '57014': 'the database took too long',
  '57P01': 'the database is stopping',
  '57P03': 'the database is starting or stopping',
};

/** Data and constraints (classes 22 and 23) are bugs of ours and stay what they are; all else is the database's state. */
export function unavailable(error: unknown): unknown {
  if (error instanceof StoreUnavailable || (isAnswered(error) && /^2[23]/.test(codeOf(error)))) return error;
  const code = codeOf(error);
  const words =
    WORDS[code] ??
    (isAnswered(error)
      ? `the database refuses this (${code})`
      : `the database cannot be reached (${code || (error as Error).message})`);
  return new StoreUnavailable(words, { cause: error });
}

export interface Target {
  /** What named it: a setting, or an option of the command line. */
  readonly named: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/** OpenSSL's words for a certificate whose signer is not known, its own one or another. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** What went wrong at the start, in words for whoever wrote the URL. */
export function refused(error: unknown, { named, host, port, database, user }: Target): unknown {
  if (error instanceof Refusal || error instanceof StoreUnavailable) return error;
  const at = `${host}:${port}`;
  const code = codeOf(error);
  const { message } = error as Error;
  const sentences: Readonly<Record<string, string>> = {
    ECONNREFUSED: `nobody listens at ${at}`,
    ENOTFOUND: `there is no host ${host}`,
    EAI_AGAIN: `there is no host ${host}`,
    '28P01': `the password of ${user} is wrong`,
    '28000': `${user || 'nobody, as the URL has it,'} may not sign in from here (${message})`,
    '3D000': `there is no database ${database} at ${at}`,
    '42501': `${user} lacks a permission there (${message}); the first start needs CREATE on the database, every start USAGE on the schema postern and its sequence, SELECT, INSERT, UPDATE and DELETE on its tables, EXECUTE on its functions, a restore or a move into it TRUNCATE on its tables, a move out of it the role that owns its functions and the schema`,
    '25006': `the database ${database} at ${at} is read-only`,
    '53100': `the disk of the database at ${at} is full`,
    [NO_ROOM]: `the database at ${at} has no connection left`,
    '55P03': `somebody has been at work in the tables of the database at ${at} for too long (a backup, pg_dump, another start): try again when that has ended`,
    '57P03': `the database at ${at} is starting or stopping`,
  };
  // PostgreSQL tells of its own time limits; whoever speaks of none has not answered.
  const untold =
    error instanceof pg.DatabaseError
      ? undefined
      : /time(d )?out/i.test(message)
        ? `${at} does not answer`
        : message === 'Connection terminated unexpectedly'
          ? `${at} ended the connection: it may be no PostgreSQL`
          : undefined;
  const untrusted = UNTRUSTED.has(code)
    ? `nobody who is trusted here signed the certificate of ${at} (${code}): name who did in the URL, sslrootcert=/path/to/their.pem`
    : undefined;
  const why = sentences[code] ?? untrusted ?? untold ?? `${message}${code ? ` (${code})` : ''}`;
  return new DatabaseRefused('database_unusable', `cannot use the database (${named}): ${why}`, {
    cause: error,
  });
}
