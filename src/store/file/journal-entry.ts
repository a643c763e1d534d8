import type { JournalFile } from './journal-file.ts';
import type { Replaced } from './memory/index.ts';

/** A commit on its way to the disk. */
export interface Entry {
  readonly sequence: number;
  readonly at: number;
  /** Its changes as JSON, separated by commas. */
  readonly text: string;
  /** Acknowledged when it is on the disk; otherwise when it is written. */
  readonly strict: boolean;
  readonly replaced: readonly Replaced[];
}

export interface Pending extends Entry {
  readonly acknowledge: () => void;
  readonly reject: (error: Error) => void;
}

/** A commit that was not on the disk when writing failed. Relaxed ones may have been acknowledged; the others never will be. */
export interface Undurable extends Entry {
  readonly acknowledged: boolean;
}

/** Somebody waits until everything up to a number is on the disk. */
export interface Waiter {
  readonly sequence: number;
  readonly done: () => void;
  readonly reject: (error: Error) => void;
}

/** The same, and the commits after that number go to another file. */
export interface Rotation extends Waiter {
  /** The name of that file. */
  readonly path: string;
  readonly create: () => Promise<JournalFile>;
}
