import type { Command } from 'commander';
import { details, type Item, table } from '../print.ts';
import { algorithm, type Context, collectWords } from './context.ts';
import { secondsIn } from './input.ts';

/** As commander gives them: `false` where the option's `--no-…` was written. */
interface TermOptions {
  readonly name?: string | false;
  readonly scope?: string[] | false;
  readonly ttl?: string | false;
  readonly revocable?: boolean;
  readonly alg?: string;
}

const SIGNED_WITH = 'what its access tokens are signed with: an API whose library or rules want another than RS256';

const withTerms = (command: Command): Command =>
  command
    .option('--name <name>', 'what people see')
    .option('--scope <scope>', 'a scope of it (repeatable)', collectWords)
    .option('--ttl <duration>', 'lifetime of its access tokens, such as 15m')
    .option('--revocable', 'record machine tokens too, so that they can be revoked');

export function resourceCommands(program: Command, { ask, show }: Context): void {
  const resource = program.command('resource').description('APIs that tokens are for');

  withTerms(resource.command('add <uri>').description('register an API; its URI is the audience of its tokens'))
    .addOption(algorithm(SIGNED_WITH))
    .action(async (uri: string, options: TermOptions, command: Command) =>
      show(command, (await ask('resource.add', { uri, ...termsIn(options) })) as Item, details),
    );

  withTerms(
    resource.command('update <uri>').description('change what is named, keep the rest; it holds for new tokens'),
  )
    .option('--no-name', 'people see its host')
    .option('--no-scope', 'none')
    .option('--no-ttl', 'as long as tokens.access says')
    .option('--no-revocable', 'a machine token ends by itself alone')
    .addOption(algorithm(SIGNED_WITH).default(undefined))
    .action(async (uri: string, options: TermOptions, command: Command) =>
      show(command, (await ask('resource.update', { uri, ...termsIn(options) })) as Item, details),
    );

  resource
    .command('list')
    .description('every API')
    .action(async (_, command: Command) =>
      show(command, (await ask('resource.list')) as Item[], (resources) =>
        table(resources, ['uri', 'scopes', 'ttl', 'revocable', 'alg']),
      ),
    );

  resource
    .command('remove <uri>')
    .description('remove an API that no application may ask for any more')
    .action(async (uri: string, _, command: Command) =>
      show(command, (await ask('resource.remove', { uri })) as Item, details),
    );
}

const termsIn = ({ name, scope, ttl, revocable, alg }: TermOptions) => ({
  name: name === false ? null : name,
  scopes: scope === false ? [] : scope,
  ttl: ttl === false ? null : ttl === undefined ? undefined : secondsIn(ttl),
  revocable,
  alg,
});
