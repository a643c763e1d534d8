import type { Socket } from 'node:net';
import type { FromWorker, ToWorker } from './messages.ts';

/** A store is begun anew although there was one: the one option a server has. */
export const INIT = '--init';

/** What a role needs of the process it runs in. */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly args: readonly string[];
  readonly pid: number;
  /** The path of main.ts as it was given: where that leads by a link, workers follow the link anew. */
  readonly script: string;
  /** One line on standard output. */
  print(line: string): void;
  /** Instead of what the signal does by itself. */
  onSignal(signal: NodeJS.Signals, act: (signal: NodeJS.Signals) => void): void;
  exit(code: number): void;
  /** In the last moment of the process, however it ends by itself. */
  onExit(act: () => void): void;
  /** The primary, where this is a worker. */
  readonly primary: Line;
}

/** A worker's line to its primary. */
export interface Line {
  /** Calls back once it is written, or cannot be. */
  send(message: FromWorker, written?: () => void): void;
  onMessage(act: (message: ToWorker, socket: Socket | undefined) => void): void;
  /** The primary is gone. */
  onGone(act: () => void): void;
}
