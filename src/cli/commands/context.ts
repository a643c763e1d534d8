import { Option } from 'commander';
import type { Settings } from '../../config/index.ts';
import type { Backup } from '../backup.ts';
import type { Ask } from '../client.ts';
import type { Terminal } from '../terminal.ts';

/** What every command is given. */
export interface Context {
  readonly terminal: Terminal;
  /** @throws SettingsError */
  readonly settings: () => Settings;
  readonly ask: Ask;
  /** A backup of the store as it is now, served or not. */
  readonly backup: () => Backup;
  /** The result as one JSON document where `--json` was given, as `text` otherwise. */
  show<R>(command: { optsWithGlobals(): { json?: boolean } }, result: R, text: (result: R) => string): void;
}

/** What something is signed with. */
export const algorithm = (description: string): Option =>
  new Option('--alg <alg>', description).choices(['RS256', 'PS256', 'ES256']).default('RS256');

/** For options that may be repeated; `false` is what their `--no-…` left. */
export const collect = (value: string, before: string[] | false | undefined): string[] => [...(before || []), value];

/** The same for options whose value may also be a list. */
export const collectWords = (value: string, before: string[] | false | undefined): string[] => [
  ...(before || []),
  ...value.split(/[\s,]+/).filter(Boolean),
];
