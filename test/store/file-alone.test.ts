import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { silent } from '../../src/lib/index.ts';
import { openFolderAlone } from '../../src/store/file/index.ts';
import type { Batches } from '../../src/store/index.ts';
import { Disk } from './disk.ts';
import { folderFor, open } from './folders.ts';
import { randomFrom } from './random.ts';

/** More than filling takes. */
const STEPS = 30;

async function* others(): Batches {
  for (const id of ['new1', 'new2']) yield [{ table: 'seen', id, json: '{"issuer":"new"}' }];
}

/** In a folder of its own name on the same disk: nobody lets go of the lock of a process that died. */
async function folderOn(t: ExecutionContext): Promise<string> {
  const folder = join(await folderFor(t), 'store');
  await mkdir(folder, { recursive: true });
  return folder;
}

test('whatever fails while everything is replaced, it is all there or nothing, and that is what is said', async (t) => {
  const random = randomFrom(17);
  const said = { done: 0, 'nothing was done': 0, 'nobody knows': 0 };
  for (let turn = 0; turn < 4 * STEPS; turn += 1) {
    const disk = new Disk(random);
    const before = await open(await folderOn(t), { files: disk });
    await before.commit([{ put: 'seen', id: 'old', record: { issuer: 'old' } }]);
    await before.close();
    const options = { folder: await folderOn(t), clock: () => Date.now, log: silent, pid: 1, mustExist: true };
    const alone = await openFolderAlone({ ...options, files: disk });
    disk.remaining = 1000;
    const from = 1000 - (turn % STEPS);
    // For one operation, or for good.
    disk.failing = [from, turn < 2 * STEPS ? from - 1 : -1];
    const outcome = await alone.replaceAll(others()).then(
      () => 'done' as const,
      ({ code }) => (code === 'outcome_unknown' ? ('nobody knows' as const) : ('nothing was done' as const)),
    );
    said[outcome] += 1;
    const found = await open(await folderOn(t), { files: random() < 0.5 ? disk.afterKill() : disk.afterPowerLoss() });
    const ids = (await found.find('seen', 'all', '')).rows.map(({ id }) => id).join(' ');
    await found.close();
    if (outcome !== 'nothing was done')
      t.true(ids === 'new1 new2' || (outcome === 'nobody knows' && ids === 'old'), ids);
    else t.is(ids, 'old');
  }
  t.log(said);
  for (const times of Object.values(said)) t.true(times > 0);
});
