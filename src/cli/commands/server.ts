import type { Command } from 'commander';
import { configurationPage, effectiveSettings, settingsJsonSchema } from '../../config/index.ts';
import { Refusal } from '../../lib/index.ts';
import { details, document, type Item } from '../print.ts';
import type { Context } from './context.ts';

export function serverCommands(program: Command, { ask, settings, show }: Context): void {
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
}
