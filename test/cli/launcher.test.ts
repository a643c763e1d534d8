import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { collected } from '../support/collected.ts';
import { envOf, folderOf, POSTERN } from './command-line.ts';

/** Makes this Node say it is version 20, to the launcher alone. */
const OLD = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.1.0'}})`;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

function launch(folder: string, execArgs: readonly string[], args: readonly string[], launcher = POSTERN) {
  const child = spawn(process.execPath, [...execArgs, launcher, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...envOf(folder) },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  return { child, ended: collected(child) };
}

test('under an older Node it runs itself with the one npm brought along, and its exit code passes through', async (t) => {
  const folder = folderOf(t);
  const good = await launch(folder, ['--import', OLD], ['config', '--json']).ended;
  t.is(good.code, 0, good.stderr);
  t.is(JSON.parse(good.stdout).port, 3000);
  const bad = await launch(folder, ['--import', OLD], ['user', 'show', 'nobody']).ended;
  t.is(bad.code, 1);
  t.regex(bad.stderr, /\npostern: there is no person "nobody"\n$/);
});

test('a signal to the launcher ends what it started, and both end by it', async (t) => {
  const folder = folderOf(t);
  const { child, ended } = launch(folder, ['--import', OLD], ['user', 'add', 'a@example.com', '--password-stdin']);
  // It waits for the password.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  child.kill('SIGTERM');
  t.is((await ended).signal, 'SIGTERM');
});

test('an older Node without a newer one beside it is one clear line', async (t) => {
  const folder = folderOf(t);
  for (const part of ['bin', 'package.json']) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  const { code, stderr } = await launch(folder, ['--import', OLD], ['config'], join(folder, 'bin/postern.js')).ended;
  t.is(code, 1);
  t.regex(stderr, /^postern: needs Node 24 or later, this is 20\.1\.0: .*\n$/);
});

test('it runs as an installed package too, password hashing included', async (t) => {
  const folder = folderOf(t);
  const installed = join(folder, 'node_modules/postern');
  mkdirSync(installed, { recursive: true });
  for (const part of ['bin', 'src', 'views', 'package.json'])
    cpSync(join(ROOT, part), join(installed, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(installed, 'node_modules'));
  const { child, ended } = launch(
    folder,
    [],
    ['user', 'add', 'a@example.com', '--password-stdin', '--json'],
    join(installed, 'bin/postern.js'),
  );
  child.stdin.end('correct horse battery\n');
  const { code, stdout, stderr } = await ended;
  t.is(code, 0, stderr);
  t.true(JSON.parse(stdout).has_password);
  t.regex(stderr, /^postern: there was no store: [^\n]*\n$/);
});
