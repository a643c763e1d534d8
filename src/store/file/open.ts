import { Low } from 'lowdb';
import type { Clock, Logger } from '../../lib/index.ts';
import { JournalAdapter } from './adapter.ts';
import { inWords } from './errors.ts';
import { FileStore } from './file-store.ts';
import { type FileOperations, realFiles } from './files.ts';
import { folderSize, prepareFolder } from './folder.ts';
import { type Taker, takeLock } from './lock.ts';
import type { CompactionLimits } from './maintenance.ts';
import { Database } from './memory/index.ts';

export interface FileStoreOptions extends Taker {
  /** Ours alone: made with mode 0700 where it is missing. */
  readonly folder: string;
  /** Makes the store's clock from the latest moment its files speak of (0 in a new store), which it must not run behind. */
  readonly clock: (floor: number) => Clock;
  readonly log: Logger;
  /** There was a store before: a folder without one is refused instead of filled. False on `--init`. */
  readonly mustExist?: boolean;
  /** Called with how long each acknowledged commit took, in seconds. */
  readonly onCommit?: (seconds: number) => void;
  readonly compaction?: CompactionLimits;
  /** The disk; the real one unless a test breaks it. */
  readonly files?: FileOperations;
}

const COMPACTION: CompactionLimits = { journalBytes: 8 * 1024 * 1024 };

/**
 * Opens the store in a folder, or makes a new one.
 * @throws StoreLocked when another process has it open.
 * @throws StoreDamaged when something that was durable cannot be read.
 * @throws StoreRefused when the folder is missing, open to others, of another format, or cannot be written to.
 */
export async function openFileStore(options: FileStoreOptions): Promise<FileStore> {
  const { folder, log, files = realFiles } = options;
  const startedAt = performance.now();
  try {
    await prepareFolder(files, folder, options.mustExist ?? false);
    const lock = await takeLock(files, folder, options);
    try {
      const adapter = new JournalAdapter({ files, folder, log });
      const low = new Low(adapter, new Database());
      await low.read();
      const now = options.clock(adapter.lastWrittenAt);
      const failed: FileStore['writingFailed'] = (error, undurable) => store.writingFailed(error, undurable);
      await adapter.start(now, low.data.sequence, failed);
      const store = new FileStore({
        low,
        adapter,
        lock,
        now,
        log,
        limits: options.compaction ?? COMPACTION,
        bytes: () => folderSize(files, folder),
        onCommit: options.onCommit,
      });
      await store.sweep(now());
      const ms = Math.round(performance.now() - startedAt);
      log.info({ folder, rows: low.data.size, commits: low.data.sequence, ms }, 'the store is open');
      return store;
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    throw inWords(folder, error);
  }
}
