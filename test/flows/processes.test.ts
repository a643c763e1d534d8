/** Two servers, each a process of its own, on one database behind one address: nobody can tell them from one server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import * as oidc from 'openid-client';
import { printed } from '../cli/command-line.ts';
import { type Balancer, balancer } from '../support/balancer.ts';
import { authorize, discover, type Registered, redeem, request, signIn } from '../support/client.ts';
import { cutOff } from '../support/cut-off.ts';
import { environmentOf } from '../support/environment.ts';
import { CALLBACK, PASSWORD } from '../support/postern.ts';
import { type Database, type DatabaseServer, startDatabaseServer } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { UserAgent } from '../support/user-agent.ts';

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
  readonly exited: Promise<number | null>;
}

const folder = mkdtempSync(join(tmpdir(), 'postern-processes-'));
const children = new Set<ChildProcess>();
let databases: DatabaseServer;
let database: Database;
let front: Balancer;
let server: { issuer: string };
let client: Registered;
let servers: Running[];

const environment = () => ({
  POSTERN_ISSUER: server.issuer,
  POSTERN_DATABASE_URL: database.url,
  POSTERN_OPS_PORT: '0',
  POSTERN_GUESSES_ACCOUNT: '1000',
  POSTERN_GUESSES_NETWORK: '1000',
});

async function start(): Promise<Running> {
  const child = spawn(process.execPath, ['bin/server.js'], {
    cwd: new URL('../../', import.meta.url),
    env: {
      ...environmentOf(folder),
      ...environment(),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const port = Number(new URL(JSON.parse(line).url).port);
  front.behind.push(port);
  return { child, port, exited };
}

/** The command line on the database, while both servers run. */
const run = (...args: string[]) => printed(folder, args, environment());

test.before(async () => {
  databases = await startDatabaseServer();
  database = await databases.create();
  front = await balancer();
  server = { issuer: `http://localhost:${front.port}` };
  // At once, on an empty database and without a master key.
  servers = await Promise.all([start(), start()]);
  await run('user', 'add', 'ada@example.com', '--password-stdin');
  const added = await run('client', 'add', 'Photo Prints', '--type', 'web', '--redirect-uri', CALLBACK);
  client = { id: added.client_id, secret: added.client_secret };
});

test.after.always(async () => {
  for (const child of children) child.kill('SIGKILL');
  await front?.close();
  await databases?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const kids = async (port: number): Promise<string[]> => {
  const { keys } = (await (
    await fetch(`http://127.0.0.1:${port}/.well-known/jwks.json`, { headers: { host: new URL(server.issuer).host } })
  ).json()) as { keys: { kid: string }[] };
  return keys.map(({ kid }) => kid).toSorted();
};

test.serial('two first starts at once make one key, and both publish it', async (t) => {
  const [one, other] = await Promise.all(servers.map(({ port }) => kids(port)));
  t.is(one?.length, 1);
  t.deepEqual(one, other);
});

test.serial('50 parallel refreshes, spread over both, answer 50 times 200 with one new token', async (t) => {
  for (let trial = 0; trial < 3; trial += 1) {
    const { config, tokens } = await authorize(server as never, client);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => oidc.refreshTokenGrant(config, tokens.refresh_token!)),
    );
    t.is(new Set(answers.map((answer) => answer.refresh_token)).size, 1);
    t.is(new Set(answers.map((answer) => answer.access_token)).size, 1);
    t.truthy((await oidc.refreshTokenGrant(config, answers[0]!.refresh_token!)).access_token);
  }
  t.log(Object.fromEntries(front.counted));
  for (const { port } of servers) t.true(front.counted.get(port)! > 10);
});

test.serial('20 parallel redemptions of a code, spread over both: one succeeds, each time', async (t) => {
  const config = await discover(server as never, client);
  // Fifty times, with all else that is good once, by `npm run prove -- single-use`.
  for (let trial = 0; trial < 5; trial += 1) {
    const agent = new UserAgent(server.issuer);
    const asked = await request(config);
    const { left } = await signIn(agent, await agent.get(asked.url));
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => redeem(asked, left!)));
    t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const outcome of outcomes) if (outcome.status === 'rejected') t.is(outcome.reason.error, 'invalid_grant');
  }
});

test.serial('the second of two clicks, at the other one, gets the answer that the first did not read', async (t) => {
  const config = await discover(server as never, client);
  const codes = async () =>
    Number((await database.query('SELECT count(*) FROM postern.authorization_codes')).rows[0].count);
  const address = ({ port }: Running) => `http://127.0.0.1:${port}`;
  for (let trial = 0; trial < 8; trial += 1) {
    const agent = new UserAgent(server.issuer);
    const asked = await request(config);
    const page = await agent.get(asked.url);
    const click = () => agent.submit(page, { email: 'ada@example.com', password: PASSWORD });
    agent.through = address(servers[trial % 2]!);
    const before = await codes();
    await cutOff(agent, click, async () => (await codes()) > before);
    agent.through = address(servers[(trial + 1) % 2]!);
    t.truthy((await redeem(asked, (await click()).left!)).access_token);
    t.truthy((await agent.get((await request(config, { prompt: 'none' })).url)).left?.searchParams.get('code'));
  }
});

test.serial('a key rotated from the command line is in the JWKS of both at once', async (t) => {
  const { kid } = (await run('keys', 'rotate')) as { kid: string };
  await t.notThrowsAsync(
    until(async () => (await Promise.all(servers.map(({ port }) => kids(port)))).every((all) => all.includes(kid))),
  );
});

test.serial('a secret rotated from the command line is the one that both take', async (t) => {
  const { client_secret: secret } = (await run('client', 'rotate-secret', client.id)) as { client_secret: string };
  const { secret: old } = client;
  client = { ...client, secret };
  const attempt = async (port: number, given: string): Promise<number> => {
    const headers = {
      host: new URL(server.issuer).host,
      authorization: `Basic ${btoa(`${client.id}:${given}`)}`,
      'content-type': 'application/x-www-form-urlencoded',
    };
    const body = 'grant_type=refresh_token&refresh_token=none';
    return (await fetch(`http://127.0.0.1:${port}/token`, { method: 'POST', headers, body })).status;
  };
  for (const { port } of servers) {
    await until(async () => (await attempt(port, old!)) === 401);
    t.is(await attempt(port, secret), 400);
  }
});

test.serial('what the command line changes of an API holds in both', async (t) => {
  const uri = 'https://files.example.com';
  await run('resource', 'add', uri, '--scope', 'read');
  const { client_id, client_secret } = await run('client', 'add', 'Job', '--type', 'service', '--resource', uri);
  const ask = async (port: number) => {
    const headers = {
      host: new URL(server.issuer).host,
      authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}`,
      'content-type': 'application/x-www-form-urlencoded',
    };
    const body = 'grant_type=client_credentials&scope=read';
    const answer = await fetch(`http://127.0.0.1:${port}/token`, { method: 'POST', headers, body });
    return (await answer.json()) as { expires_in?: number; error?: string };
  };
  for (const { port } of servers) t.is((await ask(port)).expires_in, 900);
  await run('resource', 'update', uri, '--ttl', '1m');
  for (const { port } of servers) await until(async () => (await ask(port)).expires_in === 60);
  await run('resource', 'update', uri, '--no-scope');
  for (const { port } of servers) await until(async () => (await ask(port)).error === 'invalid_scope');
  t.pass();
});

test.serial('one of two killed: who is signed in stays so, and refreshes with the other', async (t) => {
  const { config, agent, tokens } = await authorize(server as never, client);
  const [victim] = servers as [Running, Running];
  victim.child.kill('SIGKILL');
  await victim.exited;
  front.behind.splice(front.behind.indexOf(victim.port), 1);
  // The connections to it, which are kept open, are seen by this process to have ended.
  await pause(100);
  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token!);
  t.not(refreshed.refresh_token, tokens.refresh_token);
  const again = await agent.get((await request(config)).url);
  t.truthy(again.left ?? (await signIn(agent, again)).left);
});

test.serial('SIGTERM ends the other in order', async (t) => {
  const last = servers[1]!;
  last.child.kill('SIGTERM');
  t.is(await last.exited, 0);
});
