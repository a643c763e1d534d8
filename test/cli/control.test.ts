import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { openFolder } from '../../src/cli/socket.ts';
import { silent } from '../../src/lib/index.ts';
import { openFileStore } from '../../src/store/file/index.ts';
import { envOf, folderOf, postern, serving } from './command-line.ts';

/** Says something to the socket as it is, and gives what comes back. */
async function say(data: string, text: string | Buffer): Promise<string> {
  const { path, handle } = await openFolder(data);
  const answer = await new Promise<string>((resolve, reject) => {
    let all = '';
    const socket = connect(`${path}/control.sock`, () => socket.end(text));
    socket.setEncoding('utf8').on('data', (part: string) => {
      all += part;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? undefined : reject(error)));
    socket.on('close', () => resolve(all));
  });
  await handle.close();
  return answer;
}

test('the socket is for its user alone, and gone when the server has ended', async (t) => {
  const server = await serving(t, folderOf(t));
  const path = join(server.data, 'control.sock');
  const { mode } = statSync(path);
  t.is(mode & 0o777, 0o600);
  await server.close();
  t.false(existsSync(path));
});

test('a socket that a dead server left is replaced', async (t) => {
  const folder = folderOf(t);
  const data = join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  const path = join(data, 'control.sock');
  writeFileSync(path, '');
  const server = await serving(t, folder);
  t.true(statSync(path).isSocket());
  t.is((await postern(folder, ['user', 'list', '--json'])).code, 0);
  await server.close();
});

test('a socket that a dead server left does not keep the command line from the store', async (t) => {
  const folder = folderOf(t);
  t.is((await postern(folder, ['user', 'add', 'a@example.com'])).code, 0);
  const { path, handle } = await openFolder(join(folder, 'data'));
  const dead = createServer();
  await new Promise<void>((resolve) => dead.listen(`${path}/other.sock`, resolve));
  // Renamed, so that closing it does not remove it: what kill -9 leaves.
  renameSync(`${path}/other.sock`, `${path}/control.sock`);
  dead.close();
  await handle.close();
  t.true(statSync(join(folder, 'data/control.sock')).isSocket());
  t.is((await postern(folder, ['user', 'list', '--json'])).json.length, 1);
});

test('a data folder with a path longer than a socket may have works', async (t) => {
  const folder = join(folderOf(t), 'd'.repeat(100), 'e'.repeat(100));
  mkdirSync(folder, { recursive: true });
  const server = await serving(t, folder);
  const { json, code } = await postern(folder, ['user', 'add', 'a@example.com', '--json']);
  t.is(code, 0);
  t.truthy(await server.domain.accounts.get(json.id));
  await server.close();
});

test('a store in use by somebody who does not answer is one readable line', async (t) => {
  const folder = folderOf(t);
  const { POSTERN_DATA } = envOf(folder);
  const store = await openFileStore({ folder: POSTERN_DATA, clock: () => Date.now, log: silent, pid: process.pid });
  const { code, stderr } = await postern(folder, ['user', 'list']);
  t.is(code, 1);
  t.regex(stderr, /^postern: the store in .* is in use by process \d+ .* does not answer on its control socket\n$/);
  await store.close();
});

test('of several commands at once on a stopped server, each is done', async (t) => {
  const folder = folderOf(t);
  t.is((await postern(folder, ['user', 'list'])).code, 0);
  const outcomes = await Promise.all(
    Array.from({ length: 5 }, (_, i) => postern(folder, ['user', 'add', `p${i}@example.com`, '--json'])),
  );
  t.deepEqual(
    outcomes.map(({ code }) => code),
    [0, 0, 0, 0, 0],
    outcomes.map(({ stderr }) => stderr).join(''),
  );
  t.is((await postern(folder, ['user', 'list', '--json'])).json.length, 5);
});

test('whatever the socket is told, it answers with one JSON document and lives on', async (t) => {
  const server = await serving(t, folderOf(t));
  const code = async (text: string | Buffer) => JSON.parse(await say(server.data, text)).error?.code;
  t.is(await code('nonsense\n'), 'request_invalid');
  t.is(await code('null\n'), 'operation_unknown');
  t.is(await code('{"operation":"toString"}\n'), 'operation_unknown');
  t.is(await code('{"operation":"__proto__"}\n'), 'operation_unknown');
  t.is(await code('{"operation":"user.show","arguments":{"user":"x","more":1}}\n'), 'arguments_invalid');
  t.is(await code('{"operation":"user.show","arguments":{"user":{"a":1}}}\n'), 'arguments_invalid');
  t.is(await code(`{"operation":"user.show","arguments":"${'x'.repeat(65 * 2 ** 20)}"}\n`), 'request_too_large');
  t.is(await say(server.data, 'an end without a line'), '');
  const operation = fc.constantFrom(
    'user.add',
    'user.show',
    'client.add',
    'client.update',
    'resource.add',
    'resource.update',
    'explain',
    'audit',
  );
  await fc.assert(
    fc.asyncProperty(operation, fc.jsonValue(), async (name, args) => {
      const answer = JSON.parse(await say(server.data, `${JSON.stringify({ operation: name, arguments: args })}\n`));
      t.not(answer.error?.code, 'internal', JSON.stringify(args));
    }),
    { numRuns: 60 },
  );
  await server.close();
});

test('hostile values in the right places are refused by a rule, never by a fault', async (t) => {
  const server = await serving(t, folderOf(t));
  const hostile = fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl(), fc.constantFrom('__proto__', '', '\0', '*'));
  await fc.assert(
    fc.asyncProperty(hostile, fc.array(hostile, { maxLength: 3 }), async (one, some) => {
      for (const [operation, args] of [
        ['user.add', { email: one, name: one }],
        ['user.show', { user: one }],
        ['client.add', { name: 'A', type: 'web', redirect_uris: some, scopes: some, jwks: one }],
        ['client.show', { client_id: one }],
        ['resource.add', { uri: one, scopes: some }],
        ['resource.update', { uri: one, name: one, scopes: some }],
        ['resource.remove', { uri: one }],
        ['keys.revoke', { kid: one }],
        ['keys.import', { pem: one }],
        ['explain', { id: one }],
      ] as const) {
        const answer = JSON.parse(await say(server.data, `${JSON.stringify({ operation, arguments: args })}\n`));
        t.not(answer.error?.code, 'internal', `${operation} ${JSON.stringify(args)}`);
      }
    }),
    { numRuns: 40 },
  );
  await server.close();
});

test('a server that ends answers what it was asked before', async (t) => {
  const server = await serving(t, folderOf(t));
  const { accounts } = server.domain;
  const { add } = accounts;
  const begun = new Promise<void>((resolve) => {
    accounts.add = (person) => {
      resolve();
      return add(person);
    };
  });
  const asked = say(
    server.data,
    '{"operation":"user.add","arguments":{"email":"a@example.com","password":"correct horse"}}\n',
  );
  await begun;
  await server.close();
  t.is(JSON.parse(await asked).result.email, 'a@example.com');
});

test('a command line that was suspended keeps no server from ending: its long answer is given up', async (t) => {
  const server = await serving(t, folderOf(t));
  const suspended = connect(join(server.data, 'control.sock')).pause();
  t.teardown(() => suspended.destroy());
  suspended.on('error', () => {});
  await once(suspended, 'connect');
  // An answer that repeats it is longer than a socket holds.
  suspended.write(`{"operation":"user.list","arguments":{"${'x'.repeat(8_000_000)}":1}}\n`);
  await once(suspended, 'readable');
  await server.close();
  t.true(suspended.bytesRead < 8_000_000);
});

test('a data folder that was lost is not silently replaced by an empty one', async (t) => {
  const folder = folderOf(t);
  await postern(folder, ['user', 'add', 'a@example.com']);
  rmSync(join(folder, 'data'), { recursive: true });
  const { code, stderr } = await postern(folder, ['user', 'list']);
  t.is(code, 1);
  t.is(stderr.split('\n').length, 2, stderr);
});
