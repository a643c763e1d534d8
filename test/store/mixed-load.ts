/**
 * The process that is killed: `mixed-load.ts FOLDER LIFE COMPACT`. It opens the store, says so, and puts, uses (four at
 * a time, of which one must win) and removes codes without end. What it is about to do and how it ended is written to
 * stdout at once, one line each, so that the parent knows it whatever happens to this process.
 */
import { writeSync } from 'node:fs';
import { silent } from '../../src/lib/index.ts';
import { openFileStore } from '../../src/store/file/index.ts';
import { StoreConflict } from '../../src/store/index.ts';
import { type Call, changesOf } from './account-book.ts';
import { artifact, guess } from './records.ts';

const [folder = '', life = '', compact = ''] = process.argv.slice(2);

const store = await openFileStore({
  folder,
  clock: () => Date.now,
  log: silent,
  pid: process.pid,
  compaction: { journalBytes: 64 * 1024 },
});

const say = (line: unknown) => writeSync(1, `${JSON.stringify(line)}\n`);
let calls = 0;

async function make(call: Call): Promise<void> {
  const changes = await changesOf(store, call);
  calls += 1;
  const number = calls;
  say({ number, call });
  await store.commit(changes).then(
    () => say({ number, outcome: 'ok' }),
    (error) => say({ number, outcome: error instanceof StoreConflict ? 'fail' : 'unknown' }),
  );
}

async function codes(name: number): Promise<never> {
  for (let n = 0; ; n += 1) {
    const id = `${life}-${name}-${n}`;
    await make({ do: 'put', id });
    await Promise.all([1, 2, 3, 4].map((by) => make({ do: 'use', id, by })));
    if (n % 3 === 0) await make({ do: 'remove', id });
  }
}

/** Relaxed rows that change all the time, and rows that expire: most of a journal is dead soon. */
async function noise(name: number): Promise<never> {
  for (let n = 0; ; n += 1) {
    await store.commit([{ put: 'guesses', id: `g${name}`, record: guess(n) }]);
    const expiresAt = Date.now() + 20;
    await store.commit([{ put: 'interactions', id: `${life}-i${name}-${n}`, record: artifact(), expiresAt }]);
    if (n % 50 === 0) await store.sweep(Date.now());
  }
}

async function snapshots(): Promise<never> {
  for (;;) await store.compact();
}

say('open');
await Promise.all([
  ...Array.from({ length: 6 }, (_, name) => codes(name)),
  noise(0),
  noise(1),
  ...(compact === 'true' ? [snapshots()] : []),
]);
