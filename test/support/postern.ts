import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '../../src/config/index.ts';
import { type Logger, Refusal, silent } from '../../src/lib/index.ts';
import { type Server, startServer } from '../../src/server.ts';
import { hold } from './clock.ts';
import { dropIdle } from './idle-connections.ts';

export const PASSWORD = 'correct horse battery staple';
export const CALLBACK = 'http://localhost:4999/callback';

export interface Postern extends Server {
  readonly folder: string;
  /** Stops it and starts it again on the same port, with the same settings but for `changed`; the data stays. */
  restart(meanwhile?: () => Promise<unknown>, changed?: Readonly<Record<string, string>>): Promise<Postern>;
  /** Stops it and leaves its folder. */
  stop(): Promise<void>;
}

interface Options {
  readonly env?: Readonly<Record<string, string>>;
  readonly log?: Logger;
  readonly folder?: string;
}

/** A whole server in this process, on a port of its own and folders that go with the test. */
export async function startPostern({
  env = {},
  log = silent,
  folder = mkdtempSync(join(tmpdir(), 'postern-')),
}: Options = {}): Promise<Postern> {
  hold();
  const settings = readSettings({
    POSTERN_PORT: '0',
    POSTERN_OPS_PORT: '0',
    // Tests sign the same people in side by side; the limits have tests of their own.
    POSTERN_GUESSES_ACCOUNT: '1000',
    POSTERN_GUESSES_NETWORK: '1000',
    POSTERN_DATA: join(folder, 'data'),
    POSTERN_KEYS: join(folder, 'keys'),
    ...env,
  });
  const server = await patiently(() => startServer({ settings, log, pid: process.pid }));
  const stop = () => {
    dropIdle();
    return server.close();
  };
  return {
    ...server,
    folder,
    async restart(meanwhile, changed = {}) {
      await stop();
      await meanwhile?.();
      return startPostern({ env: { ...env, POSTERN_PORT: new URL(server.url).port, ...changed }, log, folder });
    },
    stop,
    async close() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A port that was given back may for a moment be the near end of somebody else's connection. */
async function patiently<R>(start: () => Promise<R>): Promise<R> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'address_in_use' || attempt === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Somebody who can sign in with {@link PASSWORD}. */
export const addPerson = ({ domain }: Server, email = 'ada@example.com', name = 'Ada Lovelace') =>
  domain.accounts.add({ email, name, password: PASSWORD });

/** A web application that may refresh. */
export async function addClient(
  { domain }: Server,
  more: Partial<Parameters<Server['domain']['clients']['add']>[0]> = {},
) {
  const { client, secret } = await domain.clients.add({
    name: 'Photo Prints',
    type: 'web',
    redirectUris: [CALLBACK],
    ...more,
  });
  return { id: client.id, secret };
}
