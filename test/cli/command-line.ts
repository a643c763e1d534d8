import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { type Backup, takeBackup } from '../../src/cli/backup.ts';
import { serveControl } from '../../src/cli/control.ts';
import { readSettings } from '../../src/config/index.ts';
import { lookAtKeys, markDataMade, openDomain, openMasterKey } from '../../src/domain/index.ts';
import { silent } from '../../src/lib/index.ts';
import { openFileStore } from '../../src/store/file/index.ts';
import { type Collected, collected } from '../support/collected.ts';
import { PASSWORD } from '../support/postern.ts';

export const POSTERN = fileURLToPath(new URL('../../bin/postern.js', import.meta.url));

export interface Outcome extends Collected {
  /** stdout as the JSON document it is. */
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect
  readonly json: any;
}

/** A folder that goes with the test. */
export function folderOf(t: ExecutionContext, name = ''): string {
  const folder = mkdtempSync(join(tmpdir(), `postern-cli${name}-`));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const envOf = (folder: string) => ({
  POSTERN_DATA: join(folder, 'data'),
  POSTERN_KEYS: join(folder, 'keys'),
});

/** Runs the real `bin/postern.js` in a process of its own, in that folder. */
export async function postern(folder: string, args: readonly string[], input = '', env = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [POSTERN, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...envOf(folder), ...env },
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const outcome = await collected(child);
  return {
    ...outcome,
    get json() {
      return JSON.parse(outcome.stdout);
    },
  };
}

/** What the command line prints as JSON, with the password of the tests on its standard input. */
export async function printed(folder: string, args: readonly string[], env: object) {
  const outcome = await postern(folder, [...args, '--json'], `${PASSWORD}\n`, env);
  if (outcome.code !== 0) throw new Error(outcome.stderr);
  return outcome.json;
}

/**
 * What a running server does for the command line, without its listeners; it ends with the test at the latest.
 * @param give what it gives for a backup, where not all it has
 */
export async function serving(t: ExecutionContext, folder: string, give?: () => Backup) {
  const settings = readSettings(envOf(folder));
  const place = { folder: settings.keys };
  const { fresh } = lookAtKeys(place);
  const masterKey = openMasterKey(place);
  const store = await openFileStore({
    folder: settings.data,
    clock: () => Date.now,
    log: silent,
    pid: process.pid,
    mustExist: !fresh,
  });
  const domain = await openDomain({ store, now: store.now, settings, log: silent, masterKey });
  markDataMade(settings.keys);
  const backup = give ?? (() => takeBackup({ store, masterKey, settings }));
  const control = await serveControl({ folder: settings.data, domain, log: silent, backup });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= control
      .close()
      .then(() => domain.close())
      .then(() => store.close());
    return closing;
  };
  t.teardown(close);
  return { domain, store, data: settings.data, close };
}
