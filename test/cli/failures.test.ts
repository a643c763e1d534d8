import { spawn } from 'node:child_process';
import { globSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { say } from '../support/cli.ts';
import { collected } from '../support/collected.ts';
import { envOf, folderOf, POSTERN, postern, serving } from './command-line.ts';

const WRONG: readonly (readonly [args: string, said: RegExp])[] = [
  ['', /which command\? postern --help lists them/],
  ['client', /which command\? postern client --help lists them/],
  ['usr list', /unknown command 'usr' \(Did you mean user\?\); see postern --help/],
  ['user list --jsno', /unknown option '--jsno' \(Did you mean --json\?\)/],
  ['user show', /missing required argument 'user'; see postern user show --help/],
  ['user show nobody@example.com', /there is no person/],
  ['user add not-an-address', /is not an e-mail address/],
  ['user add a@example.com --password-stdin', /no password on stdin/],
  ['client add A', /--type/],
  ['client add A --type wab', /Allowed choices are web, spa, native, service; see postern client add --help/],
  ['client add A --type web', /needs at least one redirect URI/],
  ['client add A --type web --redirect-uri http://a.example', /must be https/],
  ['client add A --type spa --redirect-uri https://a.example/* ', /no wildcards/],
  ['client add A --type web --redirect-uri https://a.example --jwks nowhere.json', /cannot read nowhere.json: ENOENT/],
  ['client show cli_none', /there is no client/],
  ['resource add http://localhost:3000', /is this server itself/],
  ['resource add https://api.example --ttl soon', /no length of time/],
  ['resource add https://api.example --alg ES256', /keys rotate --alg ES256/],
  ['keys revoke none', /there is no key/],
  ['keys import nowhere.pem', /cannot read nowhere.pem: ENOENT/],
  ['keys import /dev/zero', /too much at once/],
  ['user import /dev/zero', /too much at once/],
  ['config --schema --markdown', /one of/],
];

const wordsOf = (args: string) => [...args.split(' ').filter(Boolean), ...(args ? ['--json'] : [])];

test('every failure is exit code 1, one line, and nothing that could be taken for an answer', async (t) => {
  const folder = folderOf(t);
  const server = await serving(t, folder);
  for (const [args, said] of WRONG) {
    const outcome = await say(envOf(folder), ...wordsOf(args));
    t.is(outcome.code, 1, args);
    t.is(outcome.out, '', args);
    t.is(outcome.notes.length, 1, args);
    t.regex(outcome.notes[0]!, said, args);
    t.notRegex(outcome.notes[0]!, /\n/, args);
  }
  await server.close();
});

test('a failure is exit code 1, one line on stderr, and nothing on stdout', async (t) => {
  const folder = folderOf(t);
  const server = await serving(t, folder);
  for (const which of ['', 'user list --jsno', 'user show nobody@example.com', 'keys import /dev/zero']) {
    const [args, said] = WRONG.find(([args]) => args === which)!;
    const outcome = await postern(folder, wordsOf(args));
    t.is(outcome.code, 1, args);
    t.is(outcome.stdout, '', args);
    t.regex(outcome.stderr, said, args);
    t.is(outcome.stderr.split('\n').length, 2, `${args}: ${outcome.stderr}`);
  }
  await server.close();
});

test('a key may have a name that begins like an option', async (t) => {
  const folder = folderOf(t);
  const env = envOf(folder);
  await say(env, 'keys', 'list');
  for (const kid of [`-h${'x'.repeat(41)}`, `--${'x'.repeat(41)}`, `-${'_'.repeat(42)}`])
    for (const args of [
      ['--json', kid],
      [kid, '--json'],
      ['--json', '--', kid],
    ]) {
      const { code, notes } = await say(env, 'keys', 'revoke', ...args);
      t.is(code, 1);
      t.deepEqual(notes, [`there is no key ${kid}`]);
    }
});

test('what cannot be printed is one line on stderr and a failure, and done all the same', async (t) => {
  const folder = folderOf(t);
  await postern(folder, ['user', 'list']);
  const full = spawn(
    'sh',
    ['-c', 'exec "$@" > /dev/full', 'sh', process.execPath, POSTERN, 'user', 'add', 'a@example.com'],
    {
      cwd: folder,
      env: { PATH: process.env['PATH'], ...envOf(folder) },
    },
  );
  const { code, stderr } = await collected(full);
  t.is(code, 1);
  t.regex(
    stderr,
    /^postern: a@example\.com has no password.*\npostern: .* is done, but cannot be printed: ENOSPC.*\n$/,
  );
  t.is((await postern(folder, ['user', 'list', '--json'])).json.length, 1);
});

test('whoever stands in another folder than they think is told where a store was made, once', async (t) => {
  const folder = folderOf(t);
  const first = await postern(folder, ['user', 'list', '--json']);
  t.is(first.code, 0);
  t.deepEqual(first.json, []);
  t.is(first.stderr, `postern: there was no store: a new one was made in ${join(folder, 'data')}\n`);
  t.is((await postern(folder, ['user', 'list'])).stderr, '');
});

test('the command line says its version', async (t) => {
  const folder = folderOf(t);
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const { code, stdout } = await postern(folder, ['--version']);
  t.is(code, 0);
  t.is(stdout, `${version}\n`);
  t.deepEqual(readdirSync(folder), []);
});

test('every wrong setting is a line on stderr', async (t) => {
  const { code, stderr } = await postern(folderOf(t), ['user', 'list'], '', {
    POSTERN_ISSUER: 'http://id.example.com',
    POSTERN_PORTS: '1',
  });
  t.is(code, 1);
  t.regex(stderr, /^postern: POSTERN_PORTS: is no setting; did you mean POSTERN_PORT\?$/m);
  t.regex(stderr, /^postern: issuer \(POSTERN_ISSUER\): must be https/m);
});

test('a person added where nobody can be asked has no password, and the operator is told', async (t) => {
  const folder = folderOf(t);
  const { json, stderr } = await postern(folder, ['user', 'add', 'a@example.com', '--json']);
  t.false(json.has_password);
  t.regex(stderr, /has no password.*postern user password a@example\.com/);
});

test('a new password is read from stdin where nobody can be asked', async (t) => {
  const folder = folderOf(t);
  await postern(folder, ['user', 'add', 'a@example.com']);
  const { json } = await postern(folder, ['user', 'password', 'a@example.com', '--json'], 'correct horse\r\nrest');
  t.true(json.has_password);
  const server = await serving(t, folder);
  t.truthy(await server.domain.accounts.authenticate('a@example.com', 'correct horse'));
  await server.close();
});

test('the secrets an operator is shown or types are nowhere in the data folder', async (t) => {
  const folder = folderOf(t);
  const { json } = await postern(folder, ['client', 'add', 'A', '--type', 'service', '--json']);
  await postern(folder, ['user', 'add', 'a@example.com', '--password-stdin'], 'correct horse battery');
  const kept = readFileSync(join(folder, 'data/journal-0000000000000000.jsonl'), 'utf8');
  t.true(kept.includes(json.client_id));
  t.false(kept.includes(json.client_secret));
  t.false(kept.includes('correct horse'));
});

test('the settings in force are shown without the master key', async (t) => {
  const key = 'k'.repeat(43);
  const { json, stdout } = await postern(folderOf(t), ['config', '--json'], '', { POSTERN_MASTER_KEY: key });
  t.is(json.port, 3000);
  t.false(stdout.includes(key));
});

test('config prints the JSON Schema and the page of the documentation', async (t) => {
  const folder = folderOf(t);
  t.is((await postern(folder, ['config', '--schema'])).json.additionalProperties, false);
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  t.is((await postern(folder, ['config', '--markdown'])).stdout, page);
});

test('help is on stdout and no failure', async (t) => {
  const { code, stdout, stderr } = await postern(folderOf(t), ['client', 'add', '--help']);
  t.is(code, 0);
  t.regex(stdout, /--redirect-uri <uri>/);
  t.is(stderr, '');
});

test('a damaged store is told in one line, and store repair keeps what can be read', async (t) => {
  const folder = folderOf(t);
  for (const name of ['a', 'b', 'c']) await postern(folder, ['user', 'add', `${name}@example.com`]);
  const [journal] = globSync(join(folder, 'data/journal-*.jsonl')).toSorted();
  const lines = readFileSync(journal!, 'utf8').split('\n');
  const damaged = lines.findIndex((line) => line.includes('b@example.com'));
  lines[damaged] = lines[damaged]!.replace('b@example.com', 'x@example.com');
  writeFileSync(journal!, lines.join('\n'));
  const refused = await postern(folder, ['user', 'list']);
  t.is(refused.code, 1);
  t.regex(refused.stderr, /^postern: the store is damaged: .*\n$/);
  const repaired = await postern(folder, ['store', 'repair', '--json']);
  t.is(repaired.code, 0, repaired.stderr);
  t.is(repaired.json.dropped.length, 1);
  t.regex(repaired.stderr, /may work again/);
  const { json } = await postern(folder, ['user', 'list', '--json']);
  t.deepEqual(json.map(({ email }: { email: string }) => email).sort(), ['a@example.com', 'c@example.com']);
});

test('a damaged store is replaced by a backup once it is moved away, as its message says; without a journal there is no repair', async (t) => {
  const folder = folderOf(t);
  const data = join(folder, 'data');
  await postern(folder, ['user', 'add', 'a@example.com']);
  t.is((await postern(folder, ['store', 'backup', 'kept'])).code, 0);
  for (const name of globSync(join(data, 'journal-*.jsonl'))) rmSync(name);
  const away = /move the data folder away and restore a backup in its place/;
  t.regex((await postern(folder, ['user', 'list'])).stderr, away);
  t.regex((await postern(folder, ['store', 'restore', 'kept', '--replace'])).stderr, away);
  const repair = await postern(folder, ['store', 'repair']);
  t.is(repair.code, 1);
  t.regex(repair.stderr, /^postern: nothing is left to repair in .*\n$/);
  t.regex((await postern(folder, ['user', 'list'])).stderr, away, 'no empty store is in its place');
  renameSync(data, join(folder, 'away'));
  t.is((await postern(folder, ['store', 'restore', 'kept'])).code, 0);
  t.is((await postern(folder, ['user', 'list', '--json'])).json.length, 1);
});
