import type { Command } from 'commander';
import { configurationPage, effectiveSettings, settingsJsonSchema } from '../../config/index.ts';
import { Refusal, silent } from '../../lib/index.ts';
import { repairFileStore } from '../../store/file/index.ts';
import { details, document } from '../print.ts';
import type { Context } from './context.ts';

type Item = Readonly<Record<string, unknown>>;

export function serverCommands(program: Command, { ask, settings, show, terminal }: Context): void {
  program
    .command('explain <id>')
    .description('why a request was refused; the id is on the error page')
    .action(async (id: string, _, command: Command) => show(command, (await ask('explain', { id })) as Item, details));

  program
    .command('config')
    .description('the settings in force, secrets hidden; lengths of time in milliseconds')
    .option('--schema', 'the JSON Schema of postern.yaml instead')
    .option('--markdown', 'docs/configuration.md instead')
    .action((options: { schema?: boolean; markdown?: boolean }, command: Command) => {
      if (options.schema && options.markdown) throw new Refusal('options_conflict', 'one of --schema and --markdown');
      if (options.schema) return show(command, settingsJsonSchema(), document);
      if (options.markdown) return show(command, { markdown: configurationPage() }, ({ markdown }) => markdown);
      return show(command, effectiveSettings(settings()), details);
    });

  const store = program.command('store').description('the data folder');

  store
    .command('repair')
    .description('make a damaged store readable again, losing as little as can be; back it up first')
    .action(async (_, command: Command) => {
      if (settings().database_url !== undefined)
        throw new Refusal(
          'not_a_folder',
          'the store is a database: PostgreSQL repairs itself, or is restored from a backup',
        );
      const report = await repairFileStore({ folder: settings().data, log: silent, pid: terminal.pid });
      show(command, { ...report }, details);
      if (report.dropped.length > 0)
        terminal.note('what was lost may be a use or a revocation: codes and tokens may work again until they expire');
    });
}
