/** The three ways the server is run, each behind one address: what is promised is promised of all of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAsk } from '../../src/cli/client.ts';
import { readSettings } from '../../src/config/index.ts';
import { silent } from '../../src/lib/index.ts';
import { type Balancer, balancer } from '../support/balancer.ts';
import { type CutProxy, cutProxy } from '../support/cut-proxy.ts';
import { freePort } from '../support/free-port.ts';
import type { Database, DatabaseServer } from '../support/postgres.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { type Population, populate } from './population.ts';

export type SetUp = 'file' | 'database' | 'cluster';

export const SET_UPS: Readonly<Record<SetUp, string>> = {
  file: 'one process, files',
  database: 'one process, PostgreSQL',
  cluster: 'three processes, PostgreSQL',
};

export const ALL: readonly SetUp[] = ['file', 'database', 'cluster'];
export const ON_POSTGRES: readonly SetUp[] = ['database', 'cluster'];

const PROCESSES: Readonly<Record<SetUp, number>> = { file: 1, database: 1, cluster: 3 };

export interface Running extends ServerProcess {
  /** 0 where the stage is not watched. */
  readonly opsPort: number;
}

export interface Stage extends Population {
  readonly setUp: SetUp;
  readonly issuer: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Those behind the balancer now. */
  readonly servers: Running[];
  readonly front: Balancer;
  readonly database: Database | undefined;
  /** The line between the servers and the database. */
  readonly line: CutProxy | undefined;
  /** Everything any of its servers ever logged as an error. */
  errors(): string[];
  /** What the command line does, on the servers as they run. */
  operate: ReturnType<typeof createAsk>;
  /** Starts one more. */
  start(options?: Pick<Parameters<typeof startProcess>[0], 'clock'>): Promise<Running>;
  /** Takes one from behind the balancer; it goes on running. */
  remove(server: Running): void;
  close(): Promise<void>;
}

interface Options {
  /** Where the set-up needs one. */
  readonly databases: () => Promise<DatabaseServer>;
  readonly env?: Readonly<Record<string, string>>;
  /** The data folder of the file store, where it is not to be a new one. */
  readonly data?: string;
  readonly people?: number;
  /** People with a second factor; none unless given. */
  readonly guarded?: number;
  readonly clients?: number;
  /**
   * Its servers have an ops port. Where nobody could ask whether they have warmed up they do not, which is more than half of
   * the work of a start.
   */
  readonly watched?: boolean;
}

/** For runs that ask at their end about what they did at their beginning: nothing comes of age meanwhile. */
export const LONG_LIVED = {
  POSTERN_TOKENS_CODE: '10h',
  POSTERN_TOKENS_ACCESS: '10h',
  POSTERN_TOKENS_REFRESH_RETRY: '10h',
};

/** Many people sign in from one machine, and are no attack. */
const UNLIMITED = { POSTERN_GUESSES_ACCOUNT: '10000', POSTERN_GUESSES_NETWORK: '100000' };

export async function openStage(setUp: SetUp, options: Options): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-prove-'));
  const front = await balancer();
  const issuer = `http://127.0.0.1:${front.port}`;
  const databases = setUp === 'file' ? undefined : await options.databases();
  const database = await databases?.create();
  const line = databases && (await cutProxy(databases.port));
  const env: Record<string, string> = {
    POSTERN_ISSUER: issuer,
    ...UNLIMITED,
    ...(options.data && { POSTERN_DATA: options.data }),
    ...options.env,
  };
  const straight = { ...env, ...(database && { POSTERN_DATABASE_URL: database.url }) };
  if (database) env['POSTERN_DATABASE_URL'] = database.url.replace(`:${databases!.port}/`, `:${line!.port}/`);
  const population = await populate({
    folder,
    env: straight,
    people: options.people ?? 4,
    guarded: options.guarded ?? 0,
    clients: options.clients ?? 8,
  });
  const everyone: Running[] = [];
  const stage: Stage = {
    ...population,
    setUp,
    issuer,
    folder,
    env,
    front,
    database,
    line,
    servers: [],
    errors: () => everyone.flatMap(({ errors }) => errors),
    operate: createAsk({
      settings: readSettings({
        POSTERN_DATA: join(folder, 'data'),
        POSTERN_KEYS: join(folder, 'keys'),
        POSTERN_OPS_PORT: '0',
        ...straight,
      }),
      log: silent,
      pid: process.pid,
      note: () => {},
    }),
    async start(more = {}) {
      const opsPort = options.watched ? await freePort() : 0;
      const process = await startProcess({ folder, env: { ...env, POSTERN_OPS_PORT: String(opsPort) }, ...more });
      const running = { ...process, opsPort };
      everyone.push(running);
      stage.servers.push(running);
      front.behind.push(running.port);
      void running.exited.then(() => stage.remove(running));
      return running;
    },
    remove(server) {
      for (const [list, one] of [[stage.servers, server] as const, [front.behind, server.port] as const]) {
        const at = (list as unknown[]).indexOf(one);
        if (at >= 0) list.splice(at, 1);
      }
    },
    async close() {
      for (const { child } of everyone) child.kill('SIGKILL');
      await Promise.all(everyone.map(({ exited }) => exited));
      await front.close();
      await line?.close();
      if (database) await databases?.drop(database.name).catch(() => {});
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await Promise.all(Array.from({ length: PROCESSES[setUp] }, () => stage.start()));
    return stage;
  } catch (error) {
    await stage.close();
    throw error;
  }
}
