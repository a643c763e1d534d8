import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openMasterKey } from '../../src/domain/index.ts';
import { collected } from '../support/collected.ts';

function folderOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-keys-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** What one of the two says on a disk that takes no byte. */
async function onFullDisk(act: 'openMasterKey' | 'markDataMade', options: unknown): Promise<string> {
  const open = `const domain = await import(${JSON.stringify(import.meta.resolve('../../src/domain/index.ts'))});
    try { domain.${act}(${JSON.stringify(options)}); } catch ({ name, message }) { console.log(message); }`;
  const child = spawn(
    'sh',
    ['-c', 'ulimit -f 0; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', open],
    {
      env: { PATH: process.env['PATH'] },
    },
  );
  const { stdout, stderr } = await collected(child);
  return stdout + stderr;
}

test('a disk that takes no master key is left without half of one: the next start makes it', async (t) => {
  const folder = folderOf(t);
  t.regex(await onFullDisk('openMasterKey', { folder }), /^cannot use the keys folder .*EFBIG/);
  t.deepEqual(readdirSync(folder), []);
  t.notThrows(() => openMasterKey({ folder }));
});

test('a first start that dies while it writes the master key leaves nothing in the way of the next', async (t) => {
  const folder = folderOf(t);
  const die = `const fs = await import('node:fs');
    fs.default.writeSync = () => process.kill(process.pid, 'SIGKILL');
    (await import('node:module')).syncBuiltinESMExports();
    const domain = await import(${JSON.stringify(import.meta.resolve('../../src/domain/index.ts'))});
    domain.openMasterKey({ folder: ${JSON.stringify(folder)} });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', die], { env: { PATH: process.env['PATH'] } });
  await collected(child);
  t.is(child.signalCode, 'SIGKILL');
  t.notThrows(() => openMasterKey({ folder }));
});

/** Opens the keys folder in a process of its own, on a disk that knows no links and is slow; what it says. */
async function withoutLinks(folder: string): Promise<string> {
  const open = `const fs = (await import('node:fs')).default;
    const { copyFileSync, renameSync } = fs;
    const pause = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    fs.linkSync = () => { throw Object.assign(new Error('no links'), { code: 'EPERM' }); };
    fs.copyFileSync = (from, to, mode) => { fs.writeFileSync(to, 'half', { flag: 'wx', mode: 0o600 }); pause(); copyFileSync(from, to); };
    fs.renameSync = (...names) => { pause(); renameSync(...names); };
    (await import('node:module')).syncBuiltinESMExports();
    const domain = await import(${JSON.stringify(import.meta.resolve('../../src/domain/index.ts'))});
    try { console.log(Buffer.from(domain.openMasterKey({ folder: ${JSON.stringify(folder)} }).artifacts).toString('hex')); }
    catch ({ message }) { console.log(message); }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', open], { env: { PATH: process.env['PATH'] } });
  const { stdout, stderr } = await collected(child);
  return stdout + stderr;
}

test('where a disk knows no links, processes that start first at once have one key too', async (t) => {
  const folder = folderOf(t);
  const said = await Promise.all(Array.from({ length: 4 }, () => withoutLinks(folder)));
  t.regex(said[0]!, /^[0-9a-f]{64}\n$/);
  t.is(new Set(said).size, 1, said.join(''));
  t.deepEqual(readdirSync(folder), ['master.key']);
});

test('where a disk knows no links, a start that died as it named the key is told in words', async (t) => {
  const folder = folderOf(t);
  writeFileSync(join(folder, 'master.key.turn'), '');
  t.regex(await withoutLinks(folder), /master\.key\.turn was left by a start that was cut off: remove it/);
  t.deepEqual(readdirSync(folder), ['master.key.turn']);
});

test('a keys folder with a key in it that cannot be written to is told in words', async (t) => {
  const folder = folderOf(t);
  openMasterKey({ folder });
  t.regex(await onFullDisk('markDataMade', folder), /^cannot use the keys folder .*EFBIG/);
  t.notThrows(() => openMasterKey({ folder }));
});

test('a keys folder that is a file is told as such', (t) => {
  const file = join(folderOf(t), 'keys');
  writeFileSync(file, '');
  t.throws(() => openMasterKey({ folder: file }), { message: /it is not a folder \(EEXIST\)/ });
});
