import { type Command, InvalidArgumentError } from 'commander';
import { configurationPage, effectiveSettings, settingsJsonSchema } from '../../config/index.ts';
import { Refusal } from '../../lib/index.ts';
import { details, document, type Item, table } from '../print.ts';
import type { Context } from './context.ts';

export function serverCommands(program: Command, { ask, settings, show, terminal }: Context): void {
  program
    .command('explain <id>')
    .description('why a request was refused; the id is on the error page')
    .action(async (id: string, _, command: Command) =>
      show(command, (await ask('explain', { id })) as Item, (found) =>
        // The rule often is what was answered.
        details({ ...found, sentence: found['sentence'] === found['rule'] ? undefined : found['sentence'] }),
      ),
    );

  program
    .command('audit')
    .description('what happened, the newest first; kept for 90 days')
    .option('--user <user>', 'to one person: an e-mail address, or an id')
    .option('--type <type>', 'of one kind, such as refresh_token.reused; client for everything client.…')
    .option('--limit <number>', 'so many events at most', wholeNumber, 50)
    .option('--after <event>', 'those before this one, by its id: the next page')
    .action(async (asked: { user?: string; type?: string; limit: number; after?: string }, command: Command) => {
      const events = (await ask('audit', asked)) as Item[];
      show(command, events, () => table(events.map(inLine), EVENT_COLUMNS));
      // Whoever reads JSON has the id.
      if (events.length === asked.limit && !command.optsWithGlobals()['json'])
        terminal.note(`older ones, if there are any: the same with --after ${events.at(-1)?.['id']}`);
    });

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

const EVENT_COLUMNS = ['at', 'type', 'user', 'client_id', 'details'];

/** Somebody by their address, while they have one here; details as words. */
const inLine = ({ user, email, details: told, ...event }: Item): Item => ({
  ...event,
  user: email ?? user,
  details: Object.entries(told as Item).map(([name, value]) => `${name}=${value}`),
});

function wholeNumber(text: string): number {
  const number = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number <= 10_000)) throw new InvalidArgumentError('a whole number from 1 to 10000 is needed.');
  return number;
}
