import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { milliseconds } from '../../src/lib/index.ts';
import { Disk } from './disk.ts';
import { folderFor, open } from './folders.ts';
import { randomFrom } from './random.ts';

/** More than a snapshot takes. */
const STEPS = 25;

test('a second snapshot of the same commits may fail at any step: what is acknowledged afterwards is there', async (t) => {
  const random = randomFrom(17);
  for (let turn = 0; turn < 5 * STEPS; turn += 1) {
    const step = turn % STEPS;
    const folder = await folderFor(t);
    const disk = new Disk(random);
    const options = { compaction: { journalBytes: 2000, firstRetry: milliseconds(1) } };
    /** In a folder of its own name on the same disk: nobody lets go of the lock of one that lost power. */
    const on = async (files: Disk, name: string) => {
      await mkdir(join(folder, name), { recursive: true });
      return open(join(folder, name), { files, ...options });
    };
    const store = await on(disk, 'first');
    const kept: string[] = [];
    const put = (id: string) =>
      store.commit([{ put: 'seen', id, record: { issuer: 'i' } }]).then(
        () => kept.push(id),
        () => {},
      );
    await put('before');
    await store.compact();
    disk.remaining = 1000;
    disk.failing = [1000 - step, 999 - step];
    await store.compact().catch(() => {});
    disk.failing = [-1, -1];
    await put('after');
    const found = await on(disk.afterPowerLoss(), 'last');
    for (const id of kept) t.truthy(await found.get('seen', id), `${id}, when step ${step} failed`);
    await found.close();
  }
});
