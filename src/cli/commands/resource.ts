import type { Command } from 'commander';
import { inSeconds, parseDuration, Refusal } from '../../lib/index.ts';
import { details, table } from '../print.ts';
import { algorithm, type Context, collectWords } from './context.ts';

type Item = Readonly<Record<string, unknown>>;

export function resourceCommands(program: Command, { ask, show }: Context): void {
  const resource = program.command('resource').description('APIs that tokens are for');

  resource
    .command('add <uri>')
    .description('register an API; its URI is the audience of its tokens')
    .option('--name <name>', 'what people see')
    .option('--scope <scope>', 'a scope of it (repeatable)', collectWords)
    .option('--ttl <duration>', 'lifetime of its access tokens, such as 15m')
    .option('--revocable', 'record machine tokens too, so that they can be revoked')
    .addOption(
      algorithm('what its access tokens are signed with: an API whose library or rules want another than RS256'),
    )
    .action(async (uri: string, options, command: Command) => {
      const { name, scope, revocable, alg } = options;
      const ttl = options.ttl === undefined ? undefined : secondsIn(options.ttl);
      show(command, (await ask('resource.add', { uri, name, scopes: scope, ttl, revocable, alg })) as Item, details);
    });

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

function secondsIn(text: string): number {
  const duration = parseDuration(text);
  if (duration === undefined)
    throw new Refusal('ttl_invalid', `${JSON.stringify(text)} is no length of time such as 30s, 15m or 2h`);
  return inSeconds(duration);
}
