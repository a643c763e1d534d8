import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { type Logger, milliseconds, silent } from '../../src/lib/index.ts';
import { type FileStore, StoreRefused } from '../../src/store/file/index.ts';
import { StoreUnavailable } from '../../src/store/index.ts';
import { AccountBook, inWords, type Verdict } from './account-book.ts';
import { Disk } from './disk.ts';
import { folderFor, open } from './folders.ts';
import { randomFrom } from './random.ts';

let healed = 0;
const log: Logger = {
  ...silent,
  warn: (_, message) => {
    if (message === 'the store writes again') healed += 1;
  },
};

const DISKS = 12;
const LIVES = 40;

test('power fails or the process is killed 480 times at random moments, snapshots and healing included: what was acknowledged is there', async (t) => {
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
      // In half of the lives the disk fails for a while before the power does, and the store heals, or is about to.
      const from = Math.floor((random() * 2 - 1) * disk.remaining);
      if (from > 0) disk.failing = [from, from - Math.floor(random() * 40)];
      await Promise.race([live(disk, join(folder, `${life}`), book, `${life}`), failed(disk)]);
      disk = random() < 0.5 ? disk.afterPowerLoss() : disk.afterKill();
    }
    const store = await openOn(disk, join(folder, 'last'));
    const verdict = await book.audit(store);
    await store.close();
    total.acknowledged += verdict.acknowledged;
    total.unknown += verdict.unknown;
    for (const kind of ['lost', 'resurrected', 'phantom'] as const) total[kind].push(...verdict[kind]);
  }
  t.log(`${DISKS * LIVES} lives, ${healed} times healed before; ${inWords(total)}`);
  t.deepEqual([total.lost, total.resurrected, total.phantom], [[], [], []]);
  t.true(total.acknowledged > DISKS * LIVES && healed > DISKS);
});

test('what a failed sync left is not believed to be on the disk by the next process: power fails later, and nothing is missing', async (t) => {
  const random = randomFrom(17);
  for (let turn = 0; turn < 20; turn += 1) {
    const folder = await folderFor(t);
    let disk = new Disk(random);
    const put = (store: FileStore, id: string) =>
      store.commit([{ put: 'seen', id, record: { issuer: 'i'.repeat(300) } }]);
    const first = await openOn(disk, join(folder, 'first'));
    await put(first, 'before');
    await settle();
    // It is written, and then nothing works any more.
    disk.remaining = 1000;
    disk.failing = [998, -1];
    await t.throwsAsync(put(first, 'refused'), { instanceOf: StoreUnavailable });
    disk = disk.afterKill();
    const second = await openOn(disk, join(folder, 'second'));
    await put(second, 'after');
    disk = disk.afterPowerLoss();
    const third = await openOn(disk, join(folder, 'third'));
    for (const id of ['before', 'after']) t.truthy(await third.get('seen', id), id);
    await third.close();
  }
});

/** Until the journal has said that its last commit is on the disk. */
async function settle(): Promise<void> {
  // In several turns: of a process that was stopped meanwhile, one long one is over before the journal's own short one.
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Each life has a folder of its own name on the same disk, because nobody lets go of the lock of one that lost power. */
async function openOn(disk: Disk, folder: string): Promise<FileStore> {
  await mkdir(folder, { recursive: true });
  return await open(folder, { files: disk, log, compaction: { journalBytes: 2000, firstRetry: milliseconds(1) } });
}

async function live(disk: Disk, folder: string, book: AccountBook, life: string): Promise<void> {
  const store = await openOn(disk, folder).catch((error) => {
    if (!(error instanceof StoreRefused)) throw error;
  });
  if (!store) return;
  const worker = async (name: string) => {
    for (let n = 0; ; n += 1) {
      const id = `${life}-${name}-${n}`;
      await book.make(store, { do: 'put', id });
      // A store that cannot write refuses at once, and would never let anything else happen.
      await new Promise(setImmediate);
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
