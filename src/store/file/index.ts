/**
 * store/file: the engine that keeps everything in memory and on one disk, for one process.
 *
 * It owns a folder: `journal-*.jsonl` (every commit, one line), `snapshot-*.jsonl` (every row, two generations),
 * `store.json` (the format), `lock` and `holder.json`. It never acknowledges what is not on the disk, never starts with
 * less than it acknowledged, and knows no noun of the domain.
 *
 * A commit goes file-store → database (memory) → journal; a start goes open → adapter → recover → replay.
 * docs/decisions/0002-file-store.md has the reasons.
 */
export { openFolderAlone } from './alone.ts';
export { isPassing, StoreDamaged, StoreLocked, StoreRefused } from './errors.ts';
export type { FileStore } from './file-store.ts';
export type { FileOperations, OpenFile } from './files.ts';
export { type FileStoreOptions, openFileStore } from './open.ts';
export { repairFileStore } from './repair.ts';
