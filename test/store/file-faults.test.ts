import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { FileStore } from '../../src/store/file/index.ts';
import { type Change, StoreUnavailable } from '../../src/store/index.ts';
import { AccountBook, inWords } from './account-book.ts';
import { FaultyDisk, failure } from './faults.ts';
import { folderFor, open } from './folders.ts';
import { account, guess } from './records.ts';

const put = (n: number): Change => ({ put: 'accounts', id: `usr_${n}`, record: account(`${n}@example.com`) });
const refused = { instanceOf: StoreUnavailable };
const isJournal = (name: string) => name.startsWith('journal');

async function writable(store: FileStore): Promise<void> {
  while (!(await store.stats()).writable) await sleep(20);
}

for (const [code, operation] of [
  ['ENOSPC', 'write'],
  ['EIO', 'datasync'],
] as const) {
  test(`${code} on ${operation}: nothing is acknowledged, reads go on, and it heals when the disk does`, async (t) => {
    const files = new FaultyDisk();
    const folder = await folderFor(t);
    const store = await open(folder, { files });
    await store.commit([put(1)]);
    const before = await store.get('accounts', 'usr_1');
    let asked = 0;
    files.fault = (what, name) => {
      if (isJournal(name) && what === operation) asked += 1;
      if (what === operation || name.endsWith('.new')) throw failure(code);
    };
    const outcomes = await Promise.allSettled([
      store.commit([put(2)]),
      store.commit([{ put: 'accounts', id: 'usr_1', record: account('changed') }]),
      store.commit([put(3)]),
    ]);
    for (const outcome of outcomes) t.true(outcome.status === 'rejected' && outcome.reason instanceof StoreUnavailable);
    await t.throwsAsync(store.commit([put(4)]), refused);
    t.is(asked, 1, 'the same file was not asked twice');
    t.false((await store.stats()).writable);
    // What was refused is not shown as if it had happened.
    t.deepEqual(await store.get('accounts', 'usr_1'), before);
    t.is(await store.get('accounts', 'usr_2'), undefined);
    t.is((await store.find('accounts', 'all', '')).rows.length, 1);
    await sleep(1500);
    t.false((await store.stats()).writable);
    files.fault = () => {};
    await writable(store);
    await store.commit([put(5)]);
    await store.close();
    const again = await open(folder);
    const { rows } = await again.find('accounts', 'all', '');
    t.deepEqual(
      rows.map(({ id, record }) => `${id} ${record.email}`),
      ['usr_1 1@example.com', 'usr_5 5@example.com'],
    );
    await again.close();
  });
}

test('a full disk and then a restart: what was acknowledged is there, what was refused is not in the way', async (t) => {
  const files = new FaultyDisk();
  const folder = await folderFor(t);
  const store = await open(folder, { files });
  await store.commit([put(1)]);
  files.most = 40;
  let writes = 0;
  files.fault = (what) => {
    if (what !== 'write') return;
    writes += 1;
    if (writes > 2) throw failure('ENOSPC');
  };
  await t.throwsAsync(store.commit([put(2)]), refused);
  await store.close();
  const again = await open(folder);
  t.truthy(await again.get('accounts', 'usr_1'));
  await again.commit([{ ...put(2), expect: 'absent' } as Change]);
  await again.close();
});

test('a disk that accepts seven bytes at a time gets every byte', async (t) => {
  const files = new FaultyDisk();
  files.most = 7;
  const folder = await folderFor(t);
  const store = await open(folder, { files });
  for (let n = 0; n < 20; n += 1) await store.commit([put(n)]);
  await store.compact();
  await store.commit([put(20)]);
  await store.close();
  const again = await open(folder);
  t.is((await again.find('accounts', 'all', '')).rows.length, 21);
  await again.close();
});

test('a relaxed commit that was acknowledged stays, although syncing it failed', async (t) => {
  const files = new FaultyDisk();
  const folder = await folderFor(t);
  const store = await open(folder, { files });
  const relaxed: Change = { put: 'guesses', id: 'g', record: guess(1) };
  await store.commit([relaxed]);
  files.fault = (what) => {
    if (what === 'datasync') throw failure('EIO');
  };
  await t.throwsAsync(store.commit([put(1)]), refused);
  t.truthy(await store.get('guesses', 'g'));
  files.fault = () => {};
  await writable(store);
  await store.close();
  const again = await open(folder);
  t.truthy(await again.get('guesses', 'g'));
  t.is(await again.get('accounts', 'usr_1'), undefined);
  await again.close();
});

test('a snapshot that cannot be made, for want of space or of file handles, stops no commit', async (t) => {
  for (const [code, operation] of [
    ['EMFILE', 'open'],
    ['ENOSPC', 'write'],
    ['EIO', 'sync'],
    ['EACCES', 'rename'],
  ] as const) {
    const files = new FaultyDisk();
    const folder = await folderFor(t);
    const store = await open(folder, { files });
    await store.commit([put(1)]);
    for (const kind of ['snapshot', 'journal']) {
      files.fault = (what, name) => {
        const made = operation === 'rename' ? name.startsWith(kind) : name.startsWith(kind) && name.endsWith('.new');
        if (what === operation && made) throw failure(code);
      };
      await t.throwsAsync(store.compact(), { message: new RegExp(code) });
      await store.commit([put(2)]);
      t.true((await store.stats()).writable);
    }
    files.fault = () => {};
    await store.compact();
    await store.close();
    const again = await open(folder);
    t.is((await again.find('accounts', 'all', '')).rows.length, 2);
    await again.close();
  }
});

test('a snapshot gets its name only when every commit that it leaves a row to is on the disk', async (t) => {
  const files = new FaultyDisk();
  const folder = await folderFor(t);
  const store = await open(folder, { files });
  await store.commit([put(1)]);
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let named = false;
  let later: Promise<void> | undefined;
  files.fault = async (what, name) => {
    if (name.startsWith('snapshot') && what === 'rename') named = true;
    if (isJournal(name) && what === 'datasync' && later) await released;
    // The row changes after the cut and before it is written to the snapshot, which therefore leaves it out.
    if (name.startsWith('snapshot') && what === 'open') later = store.commit([put(1)]);
  };
  const compacted = store.compact();
  await sleep(200);
  t.truthy(later);
  t.false(named);
  release();
  await Promise.all([compacted, later]);
  t.true(named);
  await store.close();
});

test('whichever operation the disk fails from, a restart has everything that was acknowledged', async (t) => {
  const verdicts: string[] = [];
  for (let good = 0; good < 80; good += 1) {
    const files = new FaultyDisk();
    const folder = await folderFor(t);
    const store = await open(folder, { files, compaction: { journalBytes: 300 } });
    const book = new AccountBook();
    let count = 0;
    files.fault = () => {
      count += 1;
      if (count > good) throw failure('EIO');
    };
    for (let n = 0; n < 6; n += 1) {
      const id = `${good}-${n}`;
      await book.make(store, { do: 'put', id });
      await Promise.all([1, 2].map((by) => book.make(store, { do: 'use', id, by })));
      if (n % 2 === 0) await store.compact().catch(() => {});
    }
    await store.close();
    const again = await open(folder);
    const verdict = await book.audit(again);
    t.deepEqual([verdict.lost, verdict.resurrected, verdict.phantom], [[], [], []], `failing after ${good}`);
    if (good % 20 === 0) verdicts.push(inWords(verdict));
    await again.close();
  }
  t.log(verdicts.join('\n'));
});

test('snapshots asked for at the same time are made one after the other', async (t) => {
  const folder = await folderFor(t);
  const store = await open(folder);
  await store.commit([put(1)]);
  const asked = Promise.all([store.compact(), store.compact(), store.compact()]);
  await store.commit([put(2)]);
  await asked;
  await store.commit([put(3)]);
  await store.close();
  const again = await open(folder);
  t.is((await again.find('accounts', 'all', '')).rows.length, 3);
  await again.close();
});

test('a store that closes begins no snapshot, which would go on after the lock was given away', async (t) => {
  const files = new FaultyDisk();
  const store = await open(await folderFor(t), { files, compaction: { journalBytes: 0 } });
  const commits = (n: number) => Array.from({ length: n }, () => store.commit([put(1)]));
  await store.settled;
  const gate = Promise.withResolvers<void>();
  const snapshots: string[] = [];
  files.fault = (what, name) => {
    if (name.startsWith('snapshot')) snapshots.push(`${what} ${name}`);
    return what === 'datasync' ? gate.promise : undefined;
  };
  // Of what a start would read now, more than half is dead: with the first answer a snapshot is due.
  const answered = Promise.all(commits(10));
  const closed = store.close();
  gate.resolve();
  await Promise.all([answered, closed]);
  await sleep(50);
  t.deepEqual(snapshots, []);
});

test('nobody is shown a change, or loses to one, before it is on the disk', async (t) => {
  const files = new FaultyDisk();
  const store = await open(await folderFor(t), { files });
  await store.commit([put(1), put(2)]);
  const one = (await store.get('accounts', 'usr_1'))!;
  const synced = Promise.withResolvers<void>();
  files.fault = (what) => (what === 'datasync' ? synced.promise : undefined);
  const told: string[] = [];
  const tell = (what: string) => () => void told.push(what);
  const change = { ...put(1), record: account('changed'), expect: one.version } as Change;
  const asked = [
    store.commit([change, { remove: 'accounts', id: 'usr_2' }]).then(tell('committed')),
    store.get('accounts', 'usr_1').then(tell('changed')),
    store.get('accounts', 'usr_2').then(tell('removed')),
    store.find('accounts', 'all', '').then(tell('listed')),
    store.commit([change]).catch(tell('too late')),
  ];
  await store.get('clients', 'cli_1');
  await sleep(100);
  t.deepEqual(told, []);
  synced.resolve();
  await Promise.all(asked);
  t.is(told.length, 5);
  t.is(told[0], 'committed');
  await store.close();
});

test('whoever waits to see a change that never gets to the disk sees what was there before', async (t) => {
  const files = new FaultyDisk();
  const store = await open(await folderFor(t), { files });
  await store.commit([put(1)]);
  const one = (await store.get('accounts', 'usr_1'))!;
  files.fault = async (what, name) => {
    if (what === 'datasync' || name.endsWith('.new')) throw failure('EIO');
  };
  const change = { ...put(1), record: account('changed'), expect: one.version } as Change;
  const committing = t.throwsAsync(store.commit([change]), refused);
  const losing = t.throwsAsync(store.commit([change]), refused);
  t.is((await store.get('accounts', 'usr_1'))?.record.email, '1@example.com');
  await Promise.all([committing, losing]);
  files.fault = () => {};
  await writable(store);
  await store.close();
});
