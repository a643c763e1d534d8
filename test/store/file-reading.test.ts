import test from 'ava';
import { silent } from '../../src/lib/index.ts';
import type { Change } from '../../src/store/index.ts';
import { folderFor, open, quick } from './folders.ts';

const TABLES = ['seen', 'grants', 'guesses'] as const;

test('what takes many reads is read back to the last byte, from a journal and from a snapshot', async (t) => {
  const folder = await folderFor(t);
  const first = await open(folder, { files: quick });
  const kept: { put: (typeof TABLES)[number]; id: string; record: { issuer: string } }[] = [];
  // Lines of all lengths: many to a megabyte, and one longer than two.
  for (const [turn, rows] of [...Array(200).fill(3), 400, 2000, 50].entries()) {
    const changes = Array.from({ length: rows }, (_, n) => {
      const id = `${turn}-${n}`;
      return { put: TABLES[n % 3]!, id, record: { issuer: `${id} `.repeat(150 + (n % 7)) } };
    });
    await first.commit(changes as unknown as Change[]);
    kept.push(...changes);
  }
  await first.close();
  for (const from of ['journal', 'snapshot']) {
    // From another file the same may be read, with a warning.
    const store = await open(folder, { files: quick, log: { ...silent, warn: (_, message) => t.fail(message) } });
    for (const { put, id, record } of kept)
      if (JSON.stringify((await store.get(put, id))?.record) !== JSON.stringify(record))
        t.fail(`${id}, from a ${from}`);
    await store.compact();
    await store.close();
  }
  t.pass();
});
