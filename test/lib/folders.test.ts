import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { makeFolder } from '../../src/lib/index.ts';

test('a folder is made with those above it, for its owner alone, and one that is there stays as it is', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-folders-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  makeFolder(join(folder, 'a', 'b/'));
  for (const name of ['a', 'a/b']) t.is(statSync(join(folder, name)).mode & 0o777, 0o700);
  symlinkSync('a', join(folder, 'link'));
  makeFolder(join(folder, 'link', 'b', 'c'));
  t.true(statSync(join(folder, 'a', 'b', 'c')).isDirectory());
  makeFolder('/');

  writeFileSync(join(folder, 'file'), '');
  t.throws(() => makeFolder(join(folder, 'file')), { code: 'EEXIST' });
  t.throws(() => makeFolder(join(folder, 'file', 'a')), { code: 'ENOTDIR' });
  symlinkSync('nowhere', join(folder, 'dangling'));
  t.throws(() => makeFolder(join(folder, 'dangling')), { code: 'EEXIST' });
});

test('a folder that cannot be made where it is asked for is told, and not tried for ever', (t) => {
  t.throws(() => makeFolder('/proc/postern/data'), { code: 'ENOENT', message: /no folder can be made at/ });
});
