import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { contract } from './contract.ts';
import { makeFolder, open } from './folders.ts';

contract('file', async () => {
  const folder = await makeFolder();
  return {
    open: (now) => open(join(folder, 'store'), { clock: () => now }),
    remove: () => rm(folder, { recursive: true }),
  };
});

contract('file, compacting all the time', async () => {
  const folder = await makeFolder();
  return {
    open: (now) => open(join(folder, 'store'), { clock: () => now, compaction: { journalBytes: 0 } }),
    remove: () => rm(folder, { recursive: true }),
  };
});
