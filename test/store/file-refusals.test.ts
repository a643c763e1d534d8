import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'ava';
import { type FileOperations, StoreDamaged, StoreLocked, StoreRefused } from '../../src/store/file/index.ts';
import { encodeLine } from '../../src/store/file/lines.ts';
import { COMPILED } from '../support/environment.ts';
import { FaultyDisk, failure } from './faults.ts';
import { folderFor, open, quick } from './folders.ts';
import { account } from './records.ts';

function otherProcess(folder: string, ...more: string[]) {
  const program = join(import.meta.dirname, 'open-once.ts');
  const child = spawn(process.execPath, [program, folder, ...more], {
    env: { ...process.env, ...COMPILED },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const line = once(createInterface({ input: child.stdout }), 'line').then(([text]) => String(text));
  const noise = child.stderr.toArray().then((parts) => Buffer.concat(parts).toString());
  return { child, line, noise };
}

test('a second process is refused without waiting for the first, and told who holds the store', async (t) => {
  const folder = await folderFor(t);
  const store = await open(folder, { pid: 4711 });
  const { line, noise } = otherProcess(folder);
  const { name, message } = JSON.parse(await line);
  t.is(name, 'StoreLocked');
  t.regex(message, /in use by process 4711 on \S+ since 20/);
  t.is(await noise, '', 'nothing else is printed');
  await t.throwsAsync(open(folder), { instanceOf: StoreLocked });
  t.is(JSON.parse(await otherProcess(folder).line).name, 'StoreLocked', 'the refused ones did not take the lock away');
  await store.close();
  const after = otherProcess(folder);
  t.is(await after.line, 'open');
  await once(after.child, 'close');
});

test('the lock dies with its process, however that ends', async (t) => {
  const folder = await folderFor(t);
  const { child, line } = otherProcess(folder, 'hold');
  t.is(await line, 'open');
  await t.throwsAsync(open(folder), { instanceOf: StoreLocked, message: new RegExp(`process ${child.pid} `) });
  child.kill('SIGKILL');
  await once(child, 'close');
  await (await open(folder)).close();
});

test('a store that must be there is refused when its folder is missing or empty, and nothing is made', async (t) => {
  const folder = await folderFor(t);
  const missing = { instanceOf: StoreRefused, code: 'store_missing', message: /--init/ };
  await t.throwsAsync(open(folder, { mustExist: true }), missing);
  await t.throwsAsync(stat(folder), { code: 'ENOENT' });
  await mkdir(folder);
  await t.throwsAsync(open(folder, { mustExist: true }), missing);
  t.deepEqual(await readdir(folder), []);
  await (await open(folder)).close();
  await (await open(folder, { mustExist: true })).close();
});

test('data without its format file is refused, even where a new store might be made', async (t) => {
  const folder = await folderFor(t);
  const store = await open(folder);
  await store.commit([{ put: 'accounts', id: 'usr_1', record: account('a') }]);
  await store.close();
  await rm(join(folder, 'store.json'));
  await t.throwsAsync(open(folder), { instanceOf: StoreDamaged, message: /store\.json: it is missing/ });
});

test('a store of another format is refused in words', async (t) => {
  const folder = await folderFor(t);
  await (await open(folder)).close();
  await writeFile(join(folder, 'store.json'), encodeLine('2'));
  await t.throwsAsync(open(folder), {
    code: 'store_format',
    message: /has format 2, and this version .* reads format 1/,
  });
});

test('everything is 0600 in a folder of 0700, also after snapshots and a cut tail', async (t) => {
  const folder = await folderFor(t);
  let store = await open(folder);
  for (let n = 0; n < 3; n += 1) {
    await store.commit([{ put: 'accounts', id: `usr_${n}`, record: account('a') }]);
    await store.compact();
  }
  await store.close();
  const journal = (await readdir(folder)).findLast((name) => name.startsWith('journal'))!;
  await writeFile(join(folder, journal), '["torn', { flag: 'a' });
  store = await open(folder);
  t.is((await stat(folder)).mode & 0o777, 0o700);
  const names = await readdir(folder);
  t.true(names.some((name) => name.endsWith('.cut')));
  for (const name of names) t.is((await stat(join(folder, name))).mode & 0o777, 0o600, name);
  await store.close();
});

test('files that others may read, and a folder that others may write to, are refused with the command that mends it', async (t) => {
  const folder = await folderFor(t);
  await (await open(folder)).close();
  const refused = { code: 'store_mode', message: /chmod -R go-rwx/ };
  await chmod(join(folder, 'store.json'), 0o640);
  await t.throwsAsync(open(folder), refused);
  await chmod(join(folder, 'store.json'), 0o600);
  await chmod(folder, 0o770);
  await t.throwsAsync(open(folder), refused);
  await chmod(folder, 0o755);
  await (await open(folder)).close();
});

test('a folder made by hand is closed to others before anything is put in it', async (t) => {
  const folder = await folderFor(t);
  await mkdir(folder, { mode: 0o755 });
  await (await open(folder)).close();
  t.is((await stat(folder)).mode & 0o777, 0o700);
});

test('a folder that holds something else stays as open as it is, and is no place for a store where others may write', async (t) => {
  const folder = await folderFor(t);
  await mkdir(join(folder, 'www'), { recursive: true });
  await chmod(folder, 0o755);
  await (await open(folder)).close();
  t.is((await stat(folder)).mode & 0o777, 0o755);
  await (await open(folder)).close();

  const shared = await folderFor(t);
  await mkdir(join(shared, 'www'), { recursive: true });
  await chmod(shared, 0o777);
  await t.throwsAsync(open(shared), { code: 'store_mode', message: /a folder of its own/ });
  t.deepEqual(await readdir(shared), ['www']);
  t.is((await stat(shared)).mode & 0o777, 0o777);
});

test('files of another user are refused', async (t) => {
  const folder = await folderFor(t);
  await (await open(folder)).close();
  const [journal = ''] = (await readdir(folder)).filter((name) => name.startsWith('journal'));
  const another: FileOperations = {
    ...quick,
    async stat(path) {
      const { size, mode, uid, isDirectory } = await stat(path);
      return { size, mode, uid: path.endsWith(journal) ? 12345 : uid, isDirectory };
    },
  };
  await t.throwsAsync(open(folder, { files: another }), {
    code: 'store_owner',
    message: /belongs to another user \(uid 12345\)/,
  });
});

for (const [code, words] of Object.entries({
  EROFS: /the disk is read-only/,
  EACCES: /permission denied/,
  ENOSPC: /the disk is full/,
  EFBIG: /ulimit -f/,
  EMFILE: /too many open files/,
  EINVAL: /put it on a local disk/,
})) {
  test(`${code} while opening gives one readable message, and lets go of the lock`, async (t) => {
    const folder = await folderFor(t);
    await (await open(folder)).close();
    for (const part of ['holder', 'journal']) {
      const files = new FaultyDisk();
      files.fault = (_, name) => {
        if (name.startsWith(part)) throw failure(code);
      };
      await t.throwsAsync(open(folder, { files }), { instanceOf: StoreRefused, message: words });
      await (await open(folder)).close();
    }
  });
}

test('a file where the folder should be is refused in words', async (t) => {
  const folder = await folderFor(t);
  await writeFile(folder, '');
  await t.throwsAsync(open(folder), { instanceOf: StoreRefused, message: /it is not a folder/ });
});

test('a file that another process removes while a start looks is told as such: the command line looks again', async (t) => {
  const folder = await folderFor(t);
  await (await open(folder)).close();
  const files = new FaultyDisk();
  files.fault = (operation, name) => {
    if (operation === 'open' && name.startsWith('journal')) throw failure('ENOENT');
  };
  await t.throwsAsync(open(folder, { files }), { code: 'ENOENT' });
});
