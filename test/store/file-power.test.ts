import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { FileStore } from '../../src/store/file/index.ts';
import { AccountBook, inWords, type Verdict } from './account-book.ts';
import { Disk } from './disk.ts';
import { folderFor, open } from './folders.ts';
import { randomFrom } from './random.ts';

const DISKS = 12;
const LIVES = 40;

test('power fails 480 times at random moments, snapshots included: what was acknowledged is there', async (t) => {
  const seed = Date.now() % 1_000_000;
  t.log(`seed ${seed}`);
  const random = randomFrom(seed);
  const total: Verdict = { acknowledged: 0, unknown: 0, lost: [], resurrected: [], phantom: [] };
  for (let round = 0; round < DISKS; round += 1) {
    const folder = await folderFor(t);
    const book = new AccountBook();
    let disk = new Disk(random);
    for (let life = 0; life < LIVES; life += 1) {
      disk.remaining = Math.floor(random() * 250);
      await Promise.race([live(disk, join(folder, `${life}`), book, `${life}`), failed(disk)]);
      disk = disk.afterPowerLoss();
    }
    const store = await openOn(disk, join(folder, 'last'));
    const verdict = await book.audit(store);
    await store.close();
    total.acknowledged += verdict.acknowledged;
    total.unknown += verdict.unknown;
    for (const kind of ['lost', 'resurrected', 'phantom'] as const) total[kind].push(...verdict[kind]);
  }
  t.log(inWords(total));
  t.deepEqual([total.lost, total.resurrected, total.phantom], [[], [], []]);
  t.true(total.acknowledged > DISKS * LIVES);
});

/** Each life has a folder of its own name on the same disk, because nobody lets go of the lock of one that lost power. */
async function openOn(disk: Disk, folder: string): Promise<FileStore> {
  await mkdir(folder, { recursive: true });
  return await open(folder, { files: disk, compaction: { journalBytes: 2000 } });
}

async function live(disk: Disk, folder: string, book: AccountBook, life: string): Promise<void> {
  const store = await openOn(disk, folder);
  const worker = async (name: string) => {
    for (let n = 0; ; n += 1) {
      const id = `${life}-${name}-${n}`;
      await book.make(store, { do: 'put', id });
      await Promise.all([1, 2, 3].map((by) => book.make(store, { do: 'use', id, by })));
      if (n % 2 === 0) await book.make(store, { do: 'remove', id });
      if (n % 5 === 0) await store.compact().catch(() => {});
    }
  };
  await Promise.all(['a', 'b', 'c'].map(worker));
}

async function failed(disk: Disk): Promise<void> {
  while (disk.remaining >= 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await new Promise(setImmediate);
}
