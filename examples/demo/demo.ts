/** Puts the three together: Postern, the sample web application and the sample API, all on loopback. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server as HttpServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '../../src/config/index.ts';
import type { Logger } from '../../src/lib/index.ts';
import { newSecret } from '../../src/lib/index.ts';
import { startServer } from '../../src/server.ts';
import { createApi } from './api.ts';
import { createWebApp } from './web-app.ts';

export interface Demo {
  /** The web application's address: where to begin. */
  readonly url: string;
  readonly issuer: string;
  readonly email: string;
  readonly password: string;
  close(): Promise<void>;
}

interface Options {
  readonly log: Logger;
  readonly pid: number;
  /** Told about a port that is taken. */
  readonly say: (line: string) => void;
  /** The first port to try for each; the next free one is taken. */
  readonly ports?: { readonly server: number; readonly app: number; readonly api: number };
}

const AUDIENCE = 'https://files.example';

export async function startDemo({
  log,
  pid,
  say,
  ports = { server: 3000, app: 4000, api: 5000 },
}: Options): Promise<Demo> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-demo-'));
  const port = await freePort(ports.server, say);
  const settings = readSettings({
    POSTERN_PORT: String(port),
    POSTERN_OPS_PORT: '0',
    POSTERN_DATA: join(folder, 'data'),
    POSTERN_KEYS: join(folder, 'keys'),
  });
  const server = await startServer({ settings, log, pid });
  const { domain, issuer } = server;

  const api = await listen(createApi({ issuer, audience: AUDIENCE }), await freePort(ports.api, say));
  const appPort = await freePort(ports.app, say);
  const url = `http://localhost:${appPort}`;

  const email = 'ada@example.com';
  const password = newSecret().slice(0, 12);
  await domain.accounts.add({ email, name: 'Ada Lovelace', password });
  await domain.resources.add({ uri: AUDIENCE, name: 'Your files', scopes: ['files.read', 'files.write'] });
  const { client, secret } = await domain.clients.add({
    name: 'Photo Prints',
    type: 'web',
    redirectUris: [`${url}/callback`],
    postLogoutRedirectUris: [`${url}/`],
    resources: [AUDIENCE],
  });
  const webApp = await createWebApp({
    issuer,
    clientId: client.id,
    clientSecret: secret ?? '',
    url,
    api: `http://localhost:${api.port}`,
    audience: AUDIENCE,
  });
  const app = await listen(webApp.listen(appPort, '127.0.0.1'));

  return {
    url,
    issuer,
    email,
    password,
    async close() {
      await Promise.all([app.close(), api.close(), server.close(0)]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The port, or the next that nothing answers on: by either name of loopback, for `localhost` may mean both. */
async function freePort(first: number, say: Options['say']): Promise<number> {
  for (let port = first; ; port++) {
    const taken = await Promise.all(['127.0.0.1', '::1'].map((host) => answers(host, port)));
    if (!taken.includes(true)) {
      if (port !== first) say(`Port ${first} is in use by another program; taking ${port}.`);
      return port;
    }
  }
}

const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 500 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });

async function listen(server: HttpServer, port?: number) {
  if (port !== undefined) server.listen(port, '127.0.0.1');
  if (!server.listening) {
    await new Promise<void>((resolve, reject) => {
      server.once('listening', resolve);
      server.once('error', reject);
    });
  }
  return {
    port: (server.address() as { port: number }).port,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
