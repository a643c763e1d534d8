import { userInfo } from 'node:os';
import { inWords, StoreDamaged, StoreRefused } from './errors.ts';
import { type FileOperations, placeFile, removeFile } from './files.ts';
import { decodeLine, encodeLine, readLines } from './lines.ts';

/** The layout of the folder this program reads and writes. A change of it that an older program would misread is a new number. */
export const FORMAT = 1;
export const FORMAT_FILE = 'store.json';
export const LOCK_FILE = 'lock';
export const HOLDER_FILE = 'holder.json';

/** A journal or a snapshot; its name carries the number of the last commit before it, or in it. */
export interface DataFile {
  readonly name: string;
  readonly path: string;
  readonly sequence: number;
}

export interface Listing {
  readonly formatFile: boolean;
  /** Each in ascending order. */
  readonly journals: readonly DataFile[];
  readonly snapshots: readonly DataFile[];
  /** Files that were being made when the process died: never part of the data. */
  readonly unfinished: readonly string[];
}

const DATA_FILE = /^(journal|snapshot)-(\d{16})\.jsonl$/;

export const dataFile = (folder: string, kind: 'journal' | 'snapshot', sequence: number): DataFile => {
  const name = `${kind}-${String(sequence).padStart(16, '0')}.jsonl`;
  return { name, path: `${folder}/${name}`, sequence };
};

export async function list(files: FileOperations, folder: string): Promise<Listing> {
  const names = await files.readdir(folder);
  const of = (kind: 'journal' | 'snapshot') =>
    names
      .map((name) => DATA_FILE.exec(name))
      .filter((match) => match?.[1] === kind)
      .map((match) => dataFile(folder, kind, Number(match![2])))
      .sort((a, b) => a.sequence - b.sequence);
  return {
    formatFile: names.includes(FORMAT_FILE),
    journals: of('journal'),
    snapshots: of('snapshot'),
    unfinished: names.filter((name) => name.endsWith('.new') && isOurs(name.slice(0, -'.new'.length))),
  };
}

const isOurs = (name: string): boolean =>
  DATA_FILE.test(name) || name === FORMAT_FILE || name === LOCK_FILE || name === HOLDER_FILE;

/**
 * Sees that the folder is there and ours alone, and makes it where it may be made.
 * @throws StoreRefused with words for whoever can mend it.
 */
export async function prepareFolder(files: FileOperations, folder: string, mustExist: boolean): Promise<void> {
  const found = await files.stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw inWords(folder, error);
  });
  const names = found ? await files.readdir(folder) : [];
  if (mustExist && !names.some((name) => name === FORMAT_FILE || DATA_FILE.test(name))) {
    throw new StoreRefused(
      'store_missing',
      `there is no store in ${folder}, although there was one: a disk may not be mounted, or the path is wrong. To begin with an empty store, start once with --init (npm start -- --init)`,
    );
  }
  if (!found) await make(files, folder);
  // A folder made by hand, or a fresh volume, is open to read. One that holds anything else may be everybody's.
  else if (names.every((name) => name === 'lost+found') && isOwn(found.uid)) await files.chmod(folder, 0o700);
  else await checkModes(files, folder, names.filter(isOurs));
}

async function make(files: FileOperations, folder: string): Promise<void> {
  await files.mkdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause;
    throw new StoreRefused(
      'store_unusable',
      `cannot open the store in ${folder}: it is not there, and cannot be made (ENOENT)`,
      { cause },
    );
  });
}

async function checkModes(files: FileOperations, folder: string, names: readonly string[]): Promise<void> {
  for (const path of [folder, ...names.map((name) => `${folder}/${name}`)]) {
    const { uid, mode } = await files.stat(path);
    if (!isOwn(uid)) {
      throw new StoreRefused(
        'store_owner',
        `${path} belongs to another user (uid ${uid}): run Postern as that user, or give it the folder with chown -R`,
      );
    }
    if (mode & (path === folder ? 0o022 : 0o077)) {
      throw new StoreRefused(
        'store_mode',
        `${path} is open to other users (mode ${(mode & 0o777).toString(8)}): ${names.length > 0 ? `close it with chmod -R go-rwx ${folder}` : `give the store a folder of its own (POSTERN_DATA), or close this one with chmod go-w ${folder}`}`,
      );
    }
  }
}

const isOwn = (uid: number): boolean => uid === userInfo().uid;

/** @throws StoreRefused when another version of Postern wrote the folder, StoreDamaged when nobody knows. */
export async function checkFormat(files: FileOperations, folder: string): Promise<void> {
  let format: unknown;
  await readLines(files, `${folder}/${FORMAT_FILE}`, ({ bytes, number, complete }) => {
    const line = decodeLine(bytes);
    if (!line || !complete || number > 1) throw new StoreDamaged(FORMAT_FILE, number, 'its checksum does not match');
    format = line[1];
  });
  if (format === undefined) throw new StoreDamaged(FORMAT_FILE, 0, 'it is empty');
  if (format !== FORMAT) {
    throw new StoreRefused(
      'store_format',
      `the store in ${folder} has format ${String(format)}, and this version of Postern reads format ${FORMAT}: run the version that wrote it`,
    );
  }
}

export async function writeFormat(files: FileOperations, folder: string): Promise<void> {
  await placeFile(files, folder, FORMAT_FILE, encodeLine(`${FORMAT}`));
}

/** Two generations of snapshots are kept, and every journal the older one needs. */
export async function prune(files: FileOperations, folder: string, generations: 1 | 2): Promise<void> {
  const { journals, snapshots } = await list(files, folder);
  const oldest = snapshots.at(-generations);
  if (!oldest) return;
  for (const { sequence, path } of [...snapshots, ...journals]) {
    if (sequence < oldest.sequence) await removeFile(files, path);
  }
}

/** Bytes in the journals and snapshots. */
export async function folderSize(files: FileOperations, folder: string): Promise<number> {
  const { journals, snapshots } = await list(files, folder);
  let size = 0;
  for (const { path } of [...journals, ...snapshots]) {
    // It may have been pruned since.
    size += await files.stat(path).then(
      (found) => found.size,
      () => 0,
    );
  }
  return size;
}
