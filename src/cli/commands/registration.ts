import type { Command } from 'commander';
import { Refusal } from '../../lib/index.ts';
import { details, type Item, table } from '../print.ts';
import type { Context } from './context.ts';
import { secondsIn } from './input.ts';

export function registrationCommands(program: Command, { ask, settings, show, terminal }: Context): void {
  const registration = program
    .command('registration')
    .description('tokens with which applications register themselves');

  registration
    .command('add')
    .description('make one: an initial access token for POST /register (RFC 7591)')
    .option('--ttl <duration>', 'how long it is good for (365d at most)', '1d')
    .option('--uses <number>', 'how many applications may register with it', '1')
    .action(async ({ ttl, uses }: { ttl: string; uses: string }, command: Command) => {
      const added = await ask('registration.add', { ttl: secondsIn(ttl), uses: wholeIn(uses) });
      show(command, added as Item, details);
      terminal.note('the initial_access_token is shown this once: keep it now');
      if (settings().registration === 'off') terminal.note('no application may register itself: `registration` is off');
    });

  registration
    .command('list')
    .description('every one that is still good')
    .action(async (_, command: Command) =>
      show(command, (await ask('registration.list')) as Item[], (tokens) =>
        table(tokens, ['id', 'left', 'created_at', 'expires_at']),
      ),
    );

  registration
    .command('remove <id>')
    .description('nobody registers with it any more; who did stays')
    .action(async (id: string, _, command: Command) =>
      show(command, (await ask('registration.remove', { id })) as Item, details),
    );
}

/** @throws Refusal `number_invalid` */
function wholeIn(text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new Refusal('number_invalid', `${JSON.stringify(text.slice(0, 80))} is no whole number`);
  return Number(text);
}
