import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readSettings } from '../src/config/index.ts';
import { silent } from '../src/lib/index.ts';
import { type Server, startServer } from '../src/server.ts';
import { authorize } from '../test/support/client.ts';
import { freePort } from '../test/support/free-port.ts';
import { PASSWORD } from '../test/support/postern.ts';
import { UserAgent } from '../test/support/user-agent.ts';
import { type Cores, cpuSeconds, megabytes, start, stop } from './cores.ts';

const ROOT = new URL('../', import.meta.url).pathname;
const API = 'https://files.example.com';
export const CALLBACK = 'http://localhost:4999/callback';

/** Folders of a deployment with clients and people in it, and what the load needs to know of them. */
export interface Deployment {
  readonly folder: string;
  readonly issuer: string;
  readonly env: Readonly<Record<string, string>>;
  /** A service, and its `Authorization`. */
  readonly service: { readonly id: string; readonly authorization: string };
  /** A web application of the operator's own: nobody is asked for consent. */
  readonly web: { readonly id: string; readonly authorization: string };
  readonly people: readonly string[];
  remove(): void;
}

export interface Running {
  readonly url: string;
  readonly pid: number;
  /** From the start of the process to the first answer on discovery, in milliseconds. */
  readonly firstAnswer: number;
  cpuSeconds(): number;
  megabytes(): number;
  stop(): Promise<void>;
}

const basic = (id: string, secret: string | undefined): string =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

interface Options {
  readonly env?: Readonly<Record<string, string>>;
  readonly people?: number;
  /** More of what is to be there before the first start, written by the same code that serves. */
  readonly fill?: (server: Server) => Promise<void>;
}

/** Makes it with a server in this process, which then lets go of it. */
export async function deploy({ env = {}, people = 0, fill }: Options = {}): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const all = {
    POSTERN_ISSUER: issuer,
    POSTERN_OPS_PORT: '0',
    POSTERN_DATA: join(folder, 'data'),
    POSTERN_KEYS: join(folder, 'keys'),
    // The load comes from one address, and the same few people sign in all the time.
    POSTERN_GUESSES_NETWORK: '100000',
    ...env,
  };
  const settings = readSettings({ ...all, POSTERN_PORT: '0' });
  const server = await startServer({ settings, log: silent, pid: process.pid });
  const { resources, clients, accounts } = server.domain;
  await resources.add({ uri: API, scopes: ['files.read', 'files.write'] });
  const service = await clients.add({ name: 'Nightly export', type: 'service', resources: [API] });
  const web = await clients.add({
    name: 'Photo Prints',
    type: 'web',
    redirectUris: [CALLBACK],
    firstParty: true,
    passwordGrant: true,
  });
  const emails = Array.from({ length: people }, (_, i) => `person-${i}@example.com`);
  for (const email of emails) await accounts.add({ email, password: PASSWORD });
  await fill?.(server);
  await server.close();
  return {
    folder,
    issuer,
    env: all,
    service: { id: service.client.id, authorization: basic(service.client.id, service.secret) },
    web: { id: web.client.id, authorization: basic(web.client.id, web.secret) },
    people: emails,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

let started = 0;

/**
 * The real thing, as `npm start` starts it: its own process, settings from the environment, its log in a file. It is handed
 * over when `/readyz` says so, as a balancer would.
 * @param env `POSTERN_PORT` where several processes serve one deployment; the issuer's own otherwise.
 */
export async function run(deployment: Deployment, cores: Cores, env: Record<string, string> = {}): Promise<Running> {
  const { port } = new URL(deployment.issuer);
  started += 1;
  const log = join(deployment.folder, `log-${started}`);
  const out = openSync(log, 'w');
  const ops = String(await freePort());
  const begun = performance.now();
  const child = start({
    cores,
    args: ['--max-semi-space-size=8', '--expose-gc', 'bin/server.js'],
    cwd: ROOT,
    stdout: out,
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/node-compile'),
      ...deployment.env,
      POSTERN_PORT: port,
      POSTERN_OPS_PORT: ops,
      ...env,
    },
  });
  closeSync(out);
  const url = `http://127.0.0.1:${env['POSTERN_PORT'] ?? port}`;
  const answered = async (address: string, every: number): Promise<number> => {
    while (!(await answers(address))) {
      if (performance.now() > begun + 60_000 || child.exitCode !== null)
        throw new Error(`it did not start: ${readFileSync(log, 'utf8')}`);
      await pause(every);
    }
    return performance.now() - begun;
  };
  const firstAnswer = await answered(`${url}/.well-known/openid-configuration`, 1);
  // Asked seldom: asking takes of the same cores' time.
  await answered(`http://127.0.0.1:${ops}/readyz`, 50);
  return {
    url,
    pid: child.pid!,
    firstAnswer,
    cpuSeconds: () => cpuSeconds(child.pid!),
    megabytes: () => megabytes(child.pid!),
    stop: () => stop(child),
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url);
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

/** Signs people in by the pages: their cookies at /authorize, and a refresh token each. */
export async function signIn(
  { issuer, web, people }: Deployment,
  scope = 'openid profile email',
): Promise<{ cookies: string[]; tokens: string[] }> {
  const [cookies, tokens]: [string[], string[]] = [[], []];
  const secret = Buffer.from(web.authorization.slice(6), 'base64').toString().split(':')[1];
  for (const email of people) {
    const agent = new UserAgent(issuer);
    const signedIn = await authorize({ issuer }, { id: web.id, secret }, { scope }, agent, email);
    cookies.push(agent.cookieHeader('/authorize'));
    tokens.push(signedIn.tokens.refresh_token!);
  }
  return { cookies, tokens };
}
