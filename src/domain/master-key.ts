import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { deriveKey, makeFolder, milliseconds, Refusal, type SealingKey, seconds } from '../lib/index.ts';

const FILE = 'master.key';
/** Written once the store was made and had keys in it: from then on a missing one, or an empty one, is a loss, not a beginning. */
const MARK = 'data-was-made';

/** Added to the name of a file: whoever made this one may give the name. */
const TURN = '.turn';
/** Longer than it takes another process to name the key. */
const OTHERS_TAKE = seconds(2);

/** The one secret that is not in the store: everything sealed there is sealed under keys derived from it. */
export interface MasterKey {
  /** Seals what the engine keeps: sessions, codes, tokens. */
  readonly artifacts: SealingKey;
  /** Seals private signing keys and the server's own secrets. */
  readonly secrets: SealingKey;
  /** Seals what people prove themselves with beside a password. */
  readonly factors: SealingKey;
  /** Signs DPoP nonces (RFC 9449 §8). */
  readonly dpopNonce: SealingKey;
  /** Proves that a backup is as it was made. */
  readonly backups: SealingKey;
}

interface Options {
  readonly folder: string;
  /** The key itself in base64url (the setting `master_key`), instead of the file. */
  readonly override?: string | undefined;
  /** Where there is no key, none is made: something exists already that was sealed under one. */
  readonly mustExist?: boolean;
}

interface KeysFolder {
  /** {@link markDataMade} was never called for it: no store ever belonged to it. */
  readonly fresh: boolean;
  /** It was not there. */
  readonly made: boolean;
}

/**
 * Looks at the keys folder before its store is opened, making the folder and no key: only an opened store tells whether
 * one is lost, and one that is made in its place could be taken for it, by whatever copies the folder aside at night.
 * @throws Refusal `keys_folder` as {@link openMasterKey}
 */
export function lookAtKeys({ folder, override, mustExist = false }: Options): KeysFolder {
  try {
    const made = !mustExist && makeFolder(folder);
    const root = override ?? readKey(folder);
    if (root === undefined && mustExist) missing(folder);
    return { fresh: !existsSync(join(folder, MARK)), made };
  } catch (cause) {
    throw inWords(folder, cause);
  }
}

/**
 * Opens the keys folder, making the folder and a key where there is none.
 * @param made by {@link lookAtKeys}: it goes again where a key must exist, or the right folder would be put into it.
 * @throws Refusal `keys_folder` when the folder or file cannot be read or written, or others may read it.
 */
export function openMasterKey({
  folder,
  override,
  mustExist = false,
  made = false,
}: Options & Partial<Pick<KeysFolder, 'made'>>): MasterKey {
  try {
    if (!mustExist) makeFolder(folder);
    const root = override ?? readKey(folder) ?? (mustExist ? missing(folder, made) : makeKey(folder));
    const secret = Buffer.from(root, 'base64url');
    return {
      artifacts: deriveKey(secret, 'artifacts'),
      secrets: deriveKey(secret, 'secrets'),
      factors: deriveKey(secret, 'factors'),
      dpopNonce: deriveKey(secret, 'dpop-nonce'),
      backups: deriveKey(secret, 'backups'),
    };
  } catch (cause) {
    throw inWords(folder, cause);
  }
}

/** The system's refusal said in words. */
function inWords(folder: string, cause: unknown): Refusal {
  if (cause instanceof Refusal) return cause;
  const { code = '', message } = cause as NodeJS.ErrnoException;
  const why = WORDS[code] ? `${WORDS[code]} (${code})` : code || message;
  return new Refusal('keys_folder', `cannot use the keys folder ${folder}: ${why}`, { cause });
}

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied: it must belong to the user Postern runs as',
  EPERM: 'permission denied: it must belong to the user Postern runs as',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  ENOENT: 'it is not there, and cannot be made',
  ELOOP: 'its symbolic links go round in a circle',
  ENAMETOOLONG: 'its name is too long',
  ENOTDIR: 'it is not a folder',
  EEXIST: 'it is not a folder',
};

/**
 * Remembers beside the key that its store exists, and has keys in it, so that losing it is noticed.
 * @throws Refusal `keys_folder` when it cannot be written to
 */
export function markDataMade(folder: string): void {
  try {
    makeFolder(folder);
    if (existsSync(join(folder, MARK))) return;
    writeOnce(folder, MARK, 'The data folder that belongs to these keys exists.\n');
  } catch (cause) {
    throw inWords(folder, cause);
  }
}

function readKey(folder: string): string | undefined {
  const path = join(folder, FILE);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return undefined;
  if (stats.mode & 0o077) {
    throw new Refusal('keys_folder', `${path} can be read by other users: run chmod 600 ${path}`);
  }
  const key = readFileSync(path, 'utf8').trim();
  if (Buffer.from(key, 'base64url').length !== 32) {
    throw new Refusal('keys_folder', `${path} is not a master key: it must hold 32 bytes in base64url`);
  }
  return key;
}

function missing(folder: string, made = false): never {
  if (made) rmdirSync(folder);
  throw new Refusal(
    'keys_folder',
    `there is no master key in ${folder}: put the keys folder (or POSTERN_MASTER_KEY) in place that belongs to the data`,
  );
}

function makeKey(folder: string): string {
  const key = randomBytes(32).toString('base64url');
  for (const until = performance.now() + OTHERS_TAKE; ; ) {
    // Several processes make the first start at the same moment: the key of the one that was first is the key.
    const made = writeOnce(folder, FILE, `${key}\n`) ? key : readKey(folder);
    if (made !== undefined) return made;
    if (performance.now() > until)
      throw new Refusal('keys_folder', `${join(folder, FILE)}${TURN} was left by a start that was cut off: remove it`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds(20));
  }
}

/**
 * Puts a file in place that is not there yet, durably: it is seen whole or not at all, whoever looks and whenever this dies.
 * @returns false where it is there already
 */
function writeOnce(folder: string, name: string, text: string): boolean {
  const path = join(folder, name);
  const unnamed = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    write(unnamed, text);
    giveName(unnamed, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(unnamed, { force: true });
  }
  sync(folder);
  return true;
}

function write(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    const written = writeSync(file, text);
    if (written < text.length) throw Object.assign(new Error('the disk took a part of it'), { code: 'ENOSPC' });
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Unlike renaming alone, it never replaces what is there. @throws EEXIST where it is, or somebody else is at it */
function giveName(unnamed: string, path: string): void {
  try {
    linkSync(unnamed, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
    // Some network file systems know no links: there whoever makes this file is the only one to rename.
    closeSync(openSync(path + TURN, 'wx', 0o600));
    try {
      if (existsSync(path)) throw Object.assign(new Error(`${path} is there`), { code: 'EEXIST' });
      renameSync(unnamed, path);
    } finally {
      rmSync(path + TURN);
    }
  }
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}
