import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Duration, deriveKey, makeFolder, milliseconds, Refusal, type SealingKey } from '../lib/index.ts';

const FILE = 'master.key';
/** Written once the store was made and had keys in it: from then on a missing one, or an empty one, is a loss, not a beginning. */
const MARK = 'data-was-made';

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
  /** True until {@link markDataMade} was called for this keys folder: no data folder ever belonged to it. */
  readonly fresh: boolean;
}

interface Options {
  readonly folder: string;
  /** The key itself in base64url (the setting `master_key`), instead of the file. */
  readonly override?: string | undefined;
  /** Where there is no key, none is made: something exists already that was sealed under one. */
  readonly mustExist?: boolean;
}

/**
 * Opens the keys folder, making the folder and a key at the first start.
 * @throws Refusal `keys_folder` when the folder or file cannot be read or written, or others may read it.
 */
export function openMasterKey({ folder, override, mustExist = false }: Options): MasterKey {
  try {
    if (!mustExist) makeFolder(folder);
    const root = override ?? readKey(join(folder, FILE)) ?? (mustExist ? missing(folder) : makeKey(folder));
    if (Buffer.from(root, 'base64url').length !== 32) {
      throw new Refusal('keys_folder', `${join(folder, FILE)} is not a master key: it must hold 32 bytes in base64url`);
    }
    const secret = Buffer.from(root, 'base64url');
    return {
      artifacts: deriveKey(secret, 'artifacts'),
      secrets: deriveKey(secret, 'secrets'),
      factors: deriveKey(secret, 'factors'),
      dpopNonce: deriveKey(secret, 'dpop-nonce'),
      backups: deriveKey(secret, 'backups'),
      fresh: !existsSync(join(folder, MARK)),
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
    unlessThere(() => writeDurably(folder, MARK, 'The data folder that belongs to these keys exists.\n'));
  } catch (cause) {
    throw inWords(folder, cause);
  }
}

/** Several processes make the first start at the same moment: one of them writes. False where it was another. */
function unlessThere(write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

function readKey(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return undefined;
  if (stats.mode & 0o077) {
    throw new Refusal('keys_folder', `${path} can be read by other users: run chmod 600 ${path}`);
  }
  return readFileSync(path, 'utf8').trim();
}

function missing(folder: string): never {
  throw new Refusal(
    'keys_folder',
    `there is no master key in ${folder}: put the keys folder (or POSTERN_MASTER_KEY) in place that belongs to the data`,
  );
}

function makeKey(folder: string): string {
  const key = randomBytes(32).toString('base64url');
  if (unlessThere(() => writeDurably(folder, FILE, `${key}\n`))) return key;
  // The other's key is the key, once it is written.
  for (let tries = 0; tries < 100 && !readKey(join(folder, FILE)); tries++) pause(milliseconds(10));
  return readKey(join(folder, FILE)) ?? '';
}

const pause = (time: Duration): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, time);

function writeDurably(folder: string, name: string, text: string): void {
  const path = join(folder, name);
  const file = openSync(path, 'wx', 0o600);
  try {
    const written = writeSync(file, text);
    if (written < text.length) throw Object.assign(new Error('the disk took a part of it'), { code: 'ENOSPC' });
    fsyncSync(file);
  } catch (error) {
    // Half a key would be taken for one that was lost, at each start from then on.
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(file);
  }
  const directory = openSync(folder, 'r');
  fsyncSync(directory);
  closeSync(directory);
}
