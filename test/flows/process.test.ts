import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { silent } from '../../src/lib/index.ts';
import { openFileStore } from '../../src/store/file/index.ts';
import { say } from '../support/cli.ts';
import { environmentOf } from '../support/environment.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';

const ROOT = new URL('../../', import.meta.url).pathname;

/** `npm start` without npm: the process itself, in folders of its own. */
function start(folder: string, env: Record<string, string> = {}, args: string[] = [], command = process.execPath) {
  const child = spawn(command, command === process.execPath ? ['bin/server.js', ...args] : args, {
    cwd: ROOT,
    env: {
      ...environmentOf(folder),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  const lines: string[] = [];
  const output = createInterface({ input: child.stdout });
  output.on('line', (line) => lines.push(line));
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  // Once all it printed has been read, too.
  const exited = once(child, 'close').then(([code]) => code as number | null);
  return {
    child,
    lines,
    exited,
    errors: () => errors,
    async listening(): Promise<{ msg: string; url: string; issuer: string }> {
      if (lines.length === 0) await Promise.race([once(output, 'line'), exited]);
      if (lines.length === 0) throw new Error(`it did not start: ${errors}`);
      return JSON.parse(lines[0]!);
    },
  };
}

const children = new Set<ChildProcess>();
test.after.always(() => {
  for (const child of children) child.kill('SIGKILL');
});

const temporary = () => mkdtempSync(join(tmpdir(), 'postern-process-'));

test('the first line on standard output is JSON that says where it listens, and the issuer follows the port', async (t) => {
  const folder = temporary();
  const server = start(folder);
  const first = await server.listening();
  t.is(first.msg, 'listening');
  t.is(new URL(first.issuer).port, new URL(first.url).port);
  t.is((await fetch(`${first.url}/.well-known/openid-configuration`)).status, 200);
  server.child.kill('SIGTERM');
  t.is(await server.exited, 0);
  for (const line of server.lines) t.notThrows(() => JSON.parse(line));
  t.is(server.errors(), '');
  rmSync(folder, { recursive: true });
});

test('a server takes --init and no other word: one that is mistyped starts nothing', async (t) => {
  for (const word of ['--inti', '--help', '--port=4000', 'start']) {
    const folder = temporary();
    const server = start(folder, {}, ['--init', word]);
    t.is(await server.exited, 1, word);
    t.is(server.errors().split('\n').length, 2, server.errors());
    t.true(server.errors().startsWith(`"${word}": a server takes --init and nothing else`), server.errors());
    t.deepEqual(server.lines, []);
    t.deepEqual(readdirSync(folder), []);
    rmSync(folder, { recursive: true });
  }
});

for (const [output, closed] of [
  ['a full disk', '> /dev/full'],
  ['a reader that left after one line', '| head -1'],
] as const)
  test(`a server that prints to ${output} serves, though nobody has an account yet`, async (t) => {
    const folder = temporary();
    const port = await freePort();
    const command = `"$@" ${closed}`;
    const server = start(
      folder,
      { POSTERN_PORT: String(port), POSTERN_ISSUER: `http://localhost:${port}` },
      ['-c', command, 'sh', process.execPath, 'bin/server.js'],
      'sh',
    );
    const asked = () => fetch(`http://localhost:${port}/.well-known/jwks.json`).then((answer) => answer.ok);
    await until(() => asked().catch(() => false));
    // Time for the line that says how the first operator gets in.
    await pause(500);
    t.true(await asked());
    const { pid } = JSON.parse(readFileSync(join(folder, 'data/holder.json'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGTERM');
    t.is(await server.exited, 0);
    t.is(server.errors(), '');
    rmSync(folder, { recursive: true });
  });

test('npm start hands SIGTERM on: the server drains, and npm exits 0 with it', async (t) => {
  const folder = temporary();
  const npm = start(folder, {}, ['start', '--silent'], 'npm');
  const { url } = await npm.listening();
  npm.child.kill('SIGTERM');
  t.is(await npm.exited, 0);
  t.regex(npm.lines.join('\n'), /stopping: answering what was asked/);
  await t.throwsAsync(fetch(url));
  rmSync(folder, { recursive: true });
});

test('one process that is told SIGHUP, as by a terminal that is closed, answers what was asked and ends in order', async (t) => {
  const folder = temporary();
  const server = start(folder);
  await server.listening();
  server.child.kill('SIGHUP');
  t.is(await server.exited, 0);
  t.regex(server.lines.join('\n'), /stopping: answering what was asked/);
  rmSync(folder, { recursive: true });
});

test('one process that is told to stop before it serves ends at once, by itself: the first one of a container is told in no other way', async (t) => {
  const folder = temporary();
  const silent = createServer().listen(0, '127.0.0.1');
  const { port } = (await once(silent, 'listening').then(() => silent.address())) as { port: number };
  const server = start(folder, { POSTERN_DATABASE_URL: `postgresql://ada@127.0.0.1:${port}/postern` });
  const [connection] = await once(silent, 'connection');
  server.child.kill('SIGTERM');
  t.is(await server.exited, 0);
  t.deepEqual([server.lines, server.errors()], [[], '']);
  connection.destroy();
  silent.close();
  rmSync(folder, { recursive: true });
});

test('everything in both folders is for its owner alone', async (t) => {
  const folder = temporary();
  const server = start(folder);
  await server.listening();
  for (const part of ['data', 'keys']) {
    t.is(statSync(join(folder, part)).mode & 0o777, 0o700);
    for (const name of readdirSync(join(folder, part))) t.is(statSync(join(folder, part, name)).mode & 0o077, 0, name);
  }
  server.child.kill('SIGTERM');
  await server.exited;
  rmSync(folder, { recursive: true });
});

test('SIGTERM under load drops no request and exits 0', async (t) => {
  const folder = temporary();
  const server = start(folder);
  const { url } = await server.listening();
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  let answered = 0;
  let stopped = false;
  const lost: string[] = [];
  const one = () =>
    new Promise<'answered' | 'refused'>((resolve) => {
      const asked = request(`${url}/.well-known/jwks.json`, { agent }, (response) => {
        response.resume();
        response.on('end', () => {
          answered++;
          resolve('answered');
        });
      });
      asked.on('error', (error: NodeJS.ErrnoException) => {
        // Not accepted any more: the next server's. Everything else was lost under way.
        if (error.code !== 'ECONNREFUSED') lost.push(`${error.code} ${stopped}`);
        resolve('refused');
      });
      asked.end();
    });
  const client = async () => {
    while ((await one()) === 'answered');
  };
  const clients = Array.from({ length: 16 }, client);
  setTimeout(() => {
    stopped = true;
    server.child.kill('SIGTERM');
  }, 700);
  await Promise.all(clients);
  t.is(await server.exited, 0);
  t.deepEqual(lost, []);
  t.log(`${answered} answered, 0 lost`);
  t.true(answered > 10);
  rmSync(folder, { recursive: true });
});

async function refusal(folder: string, env: Record<string, string>, args: string[] = []) {
  const server = start(folder, env, args);
  const code = await server.exited;
  return { code, said: server.errors().trim(), lines: server.lines };
}

test('a bad start exits 1 with one readable message', async (t) => {
  const folder = temporary();
  symlinkSync('circle', join(folder, 'circle'));
  const cases: [Record<string, string>, RegExp][] = [
    [{ POSTERN_ISSUER: 'http://id.example.com' }, /issuer \(POSTERN_ISSUER\): must be https/],
    [{ POSTERN_ISUER: 'https://id.example.com' }, /did you mean POSTERN_ISSUER\?/],
    [{ POSTERN_CONFIG: join(folder, 'none.yaml') }, /none\.yaml: cannot be read \(ENOENT\)/],
    [{ POSTERN_TRUSTED_PROXIES: 'everyone' }, /everyone/],
    [{ POSTERN_BRAND_LOGO: join(folder, 'none.svg') }, /none\.svg/],
    [{ POSTERN_MASTER_KEY: 'short' }, /master_key \(POSTERN_MASTER_KEY\)/],
    // The system takes no folder there, and says every time that the one above is missing.
    [
      { POSTERN_DATA: '/proc/postern/data', POSTERN_KEYS: join(folder, 'new') },
      /^cannot open the store in \/proc\/postern\/data: .*\(ENOENT\)$/,
    ],
    [{ POSTERN_KEYS: '/proc/postern/keys' }, /^cannot use the keys folder \/proc\/postern\/keys: .*\(ENOENT\)$/],
    [{ POSTERN_DATA: join(folder, 'circle') }, /^cannot open the store in .*circle: its symbolic links .*\(ELOOP\)$/],
  ];
  for (const [env, said] of cases) {
    const result = await refusal(folder, env);
    t.is(result.code, 1);
    t.regex(result.said, said);
    t.notRegex(result.said, /\n\s+at /);
    t.deepEqual(result.lines, []);
  }
  rmSync(folder, { recursive: true });
});

test('a server that starts while a command has the store waits for that; another server is told of at once', async (t) => {
  const folder = temporary();
  const hold = (brief: boolean) =>
    openFileStore({ folder: join(folder, 'data'), clock: () => Date.now, log: silent, pid: 4711, brief });
  const command = await hold(true);
  const server = start(folder);
  await pause(1500);
  t.deepEqual([server.lines, server.errors()], [[], '']);
  await command.close();
  t.is((await server.listening()).msg, 'listening');
  server.child.kill('SIGTERM');
  t.is(await server.exited, 0);
  const other = await hold(false);
  const second = start(folder);
  t.is(await second.exited, 1);
  t.regex(second.errors(), /^the store in .* is in use by process 4711 on .*\n$/);
  await other.close();
  rmSync(folder, { recursive: true });
});

test('a port in use is told by its number', async (t) => {
  const folder = temporary();
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const { code, said } = await refusal(folder, { POSTERN_PORT: String(port) });
  t.is(code, 1);
  t.regex(said, new RegExp(`port ${port} .*in use`));
  other.close();
  rmSync(folder, { recursive: true });
});

test('a key others may read, a foreign and a lost one, and a lost data folder are refused, and --init begins anew', async (t) => {
  const folder = temporary();
  const stop = async (server: { child: ChildProcess; exited: Promise<unknown> }) => {
    server.child.kill('SIGTERM');
    await server.exited;
  };
  const first = start(folder);
  await first.listening();
  await stop(first);

  chmodSync(join(folder, 'keys/master.key'), 0o644);
  t.regex((await refusal(folder, {})).said, /master\.key can be read by other users: run chmod 600/);
  chmodSync(join(folder, 'keys/master.key'), 0o600);

  t.regex((await refusal(folder, { POSTERN_MASTER_KEY: 'A'.repeat(43) })).said, /sealed under another master key/);

  // A new one in place of the lost one is what a nightly copy of the folder would put over the only right one.
  renameSync(join(folder, 'keys'), join(folder, 'kept'));
  const lostKey =
    /^(postern: )?there is no master key in .*: put the keys folder .* in place that belongs to the data$/;
  t.regex((await refusal(folder, {})).said, lostKey);
  t.regex((await refusal(folder, {}, ['--init'])).said, lostKey);
  t.regex((await say({ ...environmentOf(folder), PATH: '' }, 'user', 'list')).notes[0]!, lostKey);
  // Nor an empty folder, into which `mv` and `cp -r` would put the right one.
  t.false(existsSync(join(folder, 'keys')));
  mkdirSync(join(folder, 'keys'));
  t.regex((await refusal(folder, {})).said, lostKey);
  t.deepEqual(readdirSync(join(folder, 'keys')), []);
  rmSync(join(folder, 'keys'), { recursive: true });
  renameSync(join(folder, 'kept'), join(folder, 'keys'));

  rmSync(join(folder, 'data'), { recursive: true });
  const lost = await refusal(folder, {});
  t.is(lost.code, 1);
  t.regex(lost.said, /--init/);
  t.false(existsSync(join(folder, 'data', 'store.json')));
  const again = start(folder, {}, ['--init']);
  t.is((await again.listening()).msg, 'listening');
  await stop(again);
  rmSync(folder, { recursive: true });
});

test('a second server on the same data is refused within a second and names the first', async (t) => {
  const folder = temporary();
  const first = start(folder);
  await first.listening();
  const began = performance.now();
  const { code, said } = await refusal(folder, {});
  t.is(code, 1);
  t.regex(said, new RegExp(`${first.child.pid}`));
  t.log(`refused after ${Math.round(performance.now() - began)} ms, start of Node included`);
  first.child.kill('SIGKILL');
  await first.exited;
  const next = start(folder);
  t.is((await next.listening()).msg, 'listening');
  next.child.kill('SIGTERM');
  t.is(await next.exited, 0);
  rmSync(folder, { recursive: true });
});
