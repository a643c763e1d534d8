import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { type Logger, silent } from '../../src/lib/index.ts';
import { type FileStore, repairFileStore, StoreDamaged } from '../../src/store/file/index.ts';
import { FaultyDisk, failure } from './faults.ts';
import { folderFor, open, quick } from './folders.ts';
import { randomFrom } from './random.ts';
import { guess } from './records.ts';

/** TEST_FLIPS=… for more; each run takes others. */
const FLIPS = Number(process.env['TEST_FLIPS'] ?? 300);

/** A folder with two generations of snapshots and what came after; `rows` is what it holds. */
async function makeStore(t: ExecutionContext, ending: 'closed' | 'killed', rows = 60): Promise<string> {
  const folder = await folderFor(t);
  const store = await open(folder, { files: quick });
  for (let n = 0; n < rows; n += 1) {
    if (n === Math.floor(rows / 3) || n === Math.floor((rows * 2) / 3)) await store.compact();
    await store.commit([
      { put: 'accounts', id: `usr_${n}`, record: { email: `${n}@example.com` } as never, expect: 'absent' },
      { put: 'emails', id: 'last', record: { accountId: `usr_${n}` } },
      { remove: 'accounts', id: `usr_${n - 10}` },
    ]);
  }
  if (ending === 'closed') await store.close();
  else await told(folder);
  const copy = await copyOf(t, folder);
  if (ending === 'killed') await store.close();
  return copy;
}

/**
 * Until the journal says that its last commit is on the disk, some milliseconds after it: before that a changed bit of it
 * cannot be told from a write that was torn.
 */
async function told(folder: string): Promise<void> {
  for (;;) {
    const journal = (await filesIn(folder)).findLast(({ name }) => name.startsWith('journal'))!;
    if (journal.bytes.toString().endsWith('"idle"]\n')) return;
    await sleep(5);
  }
}

async function copyOf(t: ExecutionContext, folder: string): Promise<string> {
  const copy = await folderFor(t);
  await cp(folder, copy, { recursive: true });
  await rm(join(copy, 'holder.json'), { force: true });
  return copy;
}

interface File {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The journals, the snapshots and the format file, by name. */
async function filesIn(folder: string): Promise<File[]> {
  const names = (await readdir(folder)).filter((name) => /^(journal|snapshot|store)/.test(name)).toSorted();
  return await Promise.all(names.map(async (name) => ({ name, bytes: await readFile(join(folder, name)) })));
}

/** Makes the folder anew with these files, each as `change` has it. */
async function lay(
  folder: string,
  files: readonly File[],
  change: (name: string, bytes: Buffer) => Buffer,
): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  for (const { name, bytes } of files) await writeFile(join(folder, name), change(name, bytes), { mode: 0o600 });
}

/** What a store says it holds: the last account of each commit that is in it. */
async function held(store: FileStore): Promise<string> {
  const accounts = await store.find('accounts', 'all', '', { limit: 1000 });
  const last = await store.get('emails', 'last');
  return [...accounts.rows.map(({ id }) => id), last?.record.accountId].join(' ');
}

/** Opens and tells: what is held, or the refusal; and every warning. */
async function start(folder: string): Promise<{ held?: string; refused?: StoreDamaged; warnings: string[] }> {
  const warnings: string[] = [];
  const log: Logger = { ...silent, warn: (_, message) => warnings.push(message) };
  try {
    const store = await open(folder, { log, files: quick });
    await store.settled;
    const found = await held(store);
    await store.close();
    return { held: found, warnings };
  } catch (error) {
    if (!(error instanceof StoreDamaged)) throw error;
    return { refused: error, warnings };
  }
}

for (const ending of ['closed', 'killed'] as const) {
  test(`a bit flipped anywhere in a store that was ${ending} is refused, or warned of and nothing is missing`, async (t) => {
    const seed = Math.floor(Math.random() * 1_000_000);
    const random = randomFrom(seed);
    const whole = await makeStore(t, ending);
    const right = (await start(await copyOf(t, whole))).held;
    const files = await filesIn(whole);
    const size = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const folder = await folderFor(t);
    const count = { refused: 0, warned: 0 };
    for (let flip = 0; flip < FLIPS / 2; flip += 1) {
      const bit = 1 << Math.floor(random() * 8);
      let at = Math.floor(random() * size);
      let where = '';
      await lay(folder, files, (name, bytes) => {
        const changed = Buffer.from(bytes);
        if (at >= 0 && at < bytes.length) {
          changed[at]! ^= bit;
          where = `seed ${seed}: bit ${bit} of byte ${at} of ${name}`;
        }
        at -= bytes.length;
        return changed;
      });
      const { held: found, refused, warnings } = await start(folder);
      if (refused) count.refused += 1;
      else count.warned += 1;
      if (refused)
        t.regex(refused.message, /(journal|snapshot|store).*damaged|damaged: (journal|snapshot|store)/, where);
      else t.is(found, right, where);
      if (!refused) t.true(warnings.length > 0, `${where} was not noticed`);
    }
    t.log(
      `${FLIPS / 2} flips: ${count.refused} refused, ${count.warned} warned of with nothing missing, 0 wrong answers`,
    );
  });
}

for (const ending of ['closed', 'killed'] as const) {
  test(`a newline that has become another byte takes nothing along: ${ending}`, async (t) => {
    const whole = await makeStore(t, ending, 9);
    const right = (await start(await copyOf(t, whole))).held;
    const files = await filesIn(whole);
    const folder = await folderFor(t);
    for (const { name, bytes } of files) {
      for (let at = bytes.indexOf('\n'); at >= 0; at = bytes.indexOf('\n', at + 1)) {
        const changed = Buffer.from(bytes);
        changed[at]! ^= 16;
        await lay(folder, files, (other, same) => (other === name ? changed : same));
        const { held: found, refused, warnings } = await start(folder);
        if (refused) continue;
        t.is(found, right, `byte ${at} of ${name}`);
        t.true(warnings.length > 0, `byte ${at} of ${name} was not noticed`);
      }
    }
  });
}

test('a journal cut at any byte of its last records starts with every record that is whole', async (t) => {
  const files = await filesIn(await makeStore(t, 'killed', 9));
  const journal = files.findLast(({ name }) => name.startsWith('journal'))!;
  const lines = journal.bytes.toString().split('\n');
  const from = lines[0]!.length + 1;
  const folder = await folderFor(t);
  for (let length = from; length <= journal.bytes.length; length += 1) {
    await lay(folder, files, (name, bytes) => (name === journal.name ? bytes.subarray(0, length) : bytes));
    const { held: found, refused } = await start(folder);
    const whole = journal.bytes.subarray(0, length).toString().split('\n').slice(0, -1);
    const last = whole.findLast((line) => line.includes('"put"'))?.match(/usr_\d+/)?.[0] ?? 'usr_5';
    t.is(refused, undefined, `at ${length}`);
    t.true(found!.endsWith(` ${last}`), `at ${length}: ${found}`);
  }
  t.log(`cut at ${journal.bytes.length - from + 1} places`);
});

test('without any one of its files a store is refused, or nothing is missing', async (t) => {
  const whole = await makeStore(t, 'closed');
  const right = (await start(await copyOf(t, whole))).held;
  const outcomes: string[] = [];
  for (const name of await readdir(whole)) {
    const folder = await copyOf(t, whole);
    await rm(join(folder, name));
    const { held: found, refused } = await start(folder);
    outcomes.push(`${name} ${refused ? 'refused' : 'started'}`);
    if (!refused) t.is(found, right, name);
  }
  t.log(outcomes.join('; '));
  t.true(outcomes.includes('store.json refused'));
  t.true(outcomes.some((outcome) => /^journal.*refused/.test(outcome)));
});

test('a line taken out of a journal is refused with the file and the line', async (t) => {
  const whole = await makeStore(t, 'closed');
  const name = (await readdir(whole))
    .filter((file) => file.startsWith('journal'))
    .toSorted()
    .at(-1)!;
  const lines = (await readFile(join(whole, name), 'utf8')).split('\n');
  await writeFile(join(whole, name), lines.toSpliced(5, 1).join('\n'));
  const { refused } = await start(whole);
  t.is(refused?.file, name);
  t.is(refused?.line, 6);
});

test('repair copies everything aside first, and then the store starts with all that can be read', async (t) => {
  const whole = await makeStore(t, 'closed');
  const name = (await readdir(whole))
    .filter((file) => file.startsWith('journal'))
    .toSorted()
    .at(-1)!;
  const text = await readFile(join(whole, name), 'utf8');
  const damaged = text.replace('usr_50"', 'usr_5x"');
  await writeFile(join(whole, name), damaged);
  const { refused } = await start(whole);
  t.is(refused?.file, name);
  const said: string[] = [];
  const log: Logger = { ...silent, warn: (_, message) => said.push(message) };
  const report = await repairFileStore({ folder: whole, log, pid: 1 });
  t.deepEqual(report.dropped, [{ file: name, line: refused!.line }]);
  t.is(await readFile(join(report.aside, name), 'utf8'), damaged);
  const after = await start(whole);
  t.deepEqual(after.warnings, []);
  // Commit 50 is what could not be read: its account is missing, and the one it removed is back.
  t.is(
    after.held,
    [40, ...[51, 52, 53, 54, 55, 56, 57, 58, 59].map((n) => n)]
      .map((n) => `usr_${n}`)
      .join(' ')
      .concat(' usr_59'),
  );
  const store = await open(whole);
  await t.notThrowsAsync(store.commit([{ put: 'guesses', id: 'g', record: guess(1) }]));
  await store.close();
});

test('a store whose every snapshot is damaged is repaired from what is left', async (t) => {
  const whole = await makeStore(t, 'closed');
  for (const name of await readdir(whole)) {
    if (!name.startsWith('snapshot')) continue;
    const text = await readFile(join(whole, name), 'utf8');
    await writeFile(join(whole, name), text.replace('usr_15"', 'usr_1x"').replace('usr_35"', 'usr_3x"'));
  }
  t.truthy((await start(whole)).refused);
  await repairFileStore({ folder: whole, log: silent, pid: 1 });
  t.is((await start(whole)).held, `${Array.from({ length: 10 }, (_, n) => `usr_${50 + n}`).join(' ')} usr_59`);
});

test('repair ends the numbers of all there was: commits that are gone before a later journal are told and waited for by nobody', async (t) => {
  const folder = await folderFor(t);
  const disk = new FaultyDisk();
  const store = await open(folder, { files: disk });
  for (let n = 1; n <= 20; n += 1) await store.commit([{ put: 'guesses', id: `g${n}`, record: guess(n) }]);
  // The journal after these commits is there, the snapshot of them is not.
  disk.fault = (_, name) => {
    if (name.startsWith('snapshot')) throw failure('ENOSPC');
  };
  await t.throwsAsync(store.compact());
  await store.close();
  const journal = join(folder, 'journal-0000000000000000.jsonl');
  const lines = (await readFile(journal, 'utf8')).split('\n');
  await writeFile(
    journal,
    `${lines
      .slice(
        0,
        lines.findIndex((line) => line.includes('"g15"')),
      )
      .join('\n')}\n`,
  );
  t.truthy((await start(folder)).refused);
  const { missing, rows } = await repairFileStore({ folder, log: silent, pid: 1 });
  t.deepEqual([missing, rows], [6, 14]);
  const { refused, warnings } = await start(folder);
  t.is(refused, undefined);
  t.deepEqual(warnings, []);
});
