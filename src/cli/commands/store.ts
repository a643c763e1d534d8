import type { Command } from 'commander';
import { markDataMade, move, openMasterKey, restore } from '../../domain/index.ts';
import { iso, Refusal, silent } from '../../lib/index.ts';
import { openBackup, save } from '../../store/backup/index.ts';
import { repairFileStore, StoreLocked } from '../../store/file/index.ts';
import { openAlone, type Place, placeOf } from '../../store/open.ts';
import type { Taken } from '../backup.ts';
import { details } from '../print.ts';
import { placeFrom, samePlace } from '../whole/place.ts';
import { movedJson, movedText, restoredJson, restoredText } from '../whole/reports.ts';
import type { Context } from './context.ts';

const LONGEST_URL = 4096;

export function storeCommands(program: Command, { backup, settings, show, terminal }: Context): void {
  const store = program.command('store').description('everything that is kept: the data folder, or the database');

  const masterKey = () => {
    const { keys: folder, master_key: override } = settings();
    return openMasterKey({ folder, override, mustExist: true });
  };
  const stopFirst = (cause: unknown): never => {
    if (!(cause instanceof StoreLocked)) throw cause;
    throw new Refusal(cause.code, `${cause.message}: stop the server first`, { cause });
  };
  const alone = (place: Place, mustExist: boolean) =>
    openAlone(place, { log: silent, pid: terminal.pid, mustExist }).catch(stopFirst);

  store
    .command('backup <file>')
    .description('write everything as of this moment to one file, while the server runs or not')
    .action(async (file: string, _, command: Command) => {
      let taken: Taken | undefined;
      const bytes = await save(
        file,
        (async function* () {
          taken = yield* backup();
        })(),
        terminal.onEnd,
      );
      show(command, { file, ...taken, bytes }, details);
    });

  store
    .command('verify <file>')
    .description('read a backup to its end: is it whole, unchanged, and of this master key?')
    .action(async (file: string, _, command: Command) => {
      const { about, manifest, bytes } = await openBackup(file, masterKey().backups);
      const { takenAt, issuer, engine } = about;
      show(command, { file, taken_at: iso(takenAt), issuer, engine, ...manifest, bytes }, details);
    });

  store
    .command('restore <file>')
    .description('put a backup in place of an empty store; the server is stopped')
    .option('--replace', 'in place of everything there is, which is lost')
    .action(async (file: string, { replace = false }: { replace?: boolean }, command: Command) => {
      const key = masterKey();
      const found = await openBackup(file, key.backups);
      const into = await alone(placeOf(settings()), false);
      try {
        const { takenAt } = found.about;
        const done = await restore({ backup: { ...found, takenAt }, into, masterKey: key, replace });
        markDataMade(settings().keys);
        show(command, restoredJson({ file, takenAt, into: into.name }, done), restoredText);
      } finally {
        await into.release();
      }
    });

  store
    .command('migrate')
    .description('carry everything to another store, people stay signed in; the server is stopped')
    .requiredOption('--to <place>', 'postgresql://user:password@host/database, or file:FOLDER; - reads it from stdin')
    .action(async ({ to }: { to: string }, command: Command) => {
      const key = masterKey();
      const here = placeOf(settings());
      const there = placeFrom(to === '-' ? (await terminal.readInput(LONGEST_URL)).trim() : to);
      if (samePlace(here, there)) throw new Refusal('place_invalid', 'that is where everything is already');
      const from = await alone(here, true);
      try {
        const target = await alone(there, false);
        try {
          const done = await move({ from, to: target, masterKey: key });
          const next =
            'url' in there
              ? 'set POSTERN_DATABASE_URL to that database'
              : `unset POSTERN_DATABASE_URL, set POSTERN_DATA to ${there.folder}`;
          show(command, movedJson(from.name, target.name, done), (result) => movedText(result, next));
        } finally {
          await target.release();
        }
      } finally {
        await from.release();
      }
    });

  store
    .command('repair')
    .description(
      'make a damaged store readable again, losing as little as can be; it is copied aside first, the server is stopped',
    )
    .action(async (_, command: Command) => {
      if (settings().database_url !== undefined)
        throw new Refusal(
          'not_a_folder',
          'the store is a database: PostgreSQL repairs itself, or is restored from a backup',
        );
      const report = await repairFileStore({ folder: settings().data, log: silent, pid: terminal.pid }).catch(
        stopFirst,
      );
      show(command, { ...report }, details);
      if (report.dropped.length > 0 || report.missing > 0)
        terminal.note('what was lost may be a use or a revocation: codes and tokens may work again until they expire');
    });
}
