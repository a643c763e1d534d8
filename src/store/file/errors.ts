import { Refusal } from '../../lib/index.ts';

/** The folder cannot be used as it is: missing, of another format, open to others, not writable. The message says what to do. */
export class StoreRefused extends Refusal {
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.name = 'StoreRefused';
  }
}

/** Another process has the store open. */
export class StoreLocked extends Refusal {
  readonly holder: string;
  /** Only for a moment: it is a command, or one that is opening it or letting go of it just now. */
  readonly brief: boolean;

  constructor(folder: string, { holder, brief }: { readonly holder: string; readonly brief: boolean }) {
    super('store_locked', `the store in ${folder} is in use by ${holder}; one process at a time may open it`);
    this.name = 'StoreLocked';
    this.holder = holder;
    this.brief = brief;
  }
}

/** It is over in a moment: the store is let go of, or was while we looked (a file that was listed was gone). */
export const isPassing = (error: unknown): boolean =>
  error instanceof StoreLocked ? error.brief : (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Something that was once durable is no longer readable. Nothing was changed. */
export class StoreDamaged extends Refusal {
  readonly file: string;
  /** Counted from 1; 0 when the whole file is meant. */
  readonly line: number;

  constructor(file: string, line: number, why: string) {
    const where = line > 0 ? `${file}, line ${line}` : file;
    super(
      'store_damaged',
      `the store is damaged: ${where}: ${why}. Nothing was changed; move the data folder away and restore a backup in its place, or run \`postern store repair\``,
    );
    this.name = 'StoreDamaged';
    this.file = file;
    this.line = line;
  }
}

const LACKING = 'its file system cannot do what keeps data over a power loss (sync a folder): put it on a local disk';

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied: it must belong to the user Postern runs as',
  EPERM: 'permission denied: it must belong to the user Postern runs as',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'a file may not grow as large as it needs (ulimit -f, or what its file system allows)',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files',
  EIO: 'the disk reports an error',
  ELOOP: 'its symbolic links go round in a circle',
  ENAMETOOLONG: 'its name is too long',
  EINVAL: LACKING,
  ENOSYS: LACKING,
  ENOTSUP: LACKING,
  ENOTDIR: 'it is not a folder',
  EEXIST: 'it is not a folder',
};

/** The system's error codes said in words; whatever has none is handed back as it came. */
export function inWords(folder: string, error: unknown, act: 'open' | 'fill' = 'open'): unknown {
  if (error instanceof Refusal || !(error instanceof Error)) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const words = WORDS[code];
  if (!words) return error;
  return new StoreRefused('store_unusable', `cannot ${act} the store in ${folder}: ${words} (${code})`, {
    cause: error,
  });
}
