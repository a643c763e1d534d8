import type { Command } from 'commander';
import { details, type Item, table } from '../print.ts';
import { algorithm, type Context } from './context.ts';
import { readFile } from './input.ts';

const SIGNS_WITH = 'what it signs with; another than RS256 signs the access tokens of the APIs that ask for it';

export function keysCommands(program: Command, { ask, show }: Context): void {
  const keys = program.command('keys').description('keys that sign tokens');

  keys
    .command('list')
    .description('every key in the JWKS')
    .action(async (_, command: Command) =>
      show(command, (await ask('keys.list')) as Item[], (list) =>
        table(list, ['kid', 'alg', 'state', 'signs_from', 'drops_at']),
      ),
    );

  keys
    .command('rotate')
    .description('publish a new key, which signs as soon as everybody can know it')
    .addOption(algorithm(SIGNS_WITH))
    .action(async ({ alg }, command: Command) => show(command, (await ask('keys.rotate', { alg })) as Item, details));

  keys
    .command('revoke <kid>')
    .description('for an emergency: everything the key signed is refused from now on')
    .action(async (kid: string, _, command: Command) =>
      show(command, (await ask('keys.revoke', { kid })) as Item, details),
    );

  keys
    .command('import <file>')
    .description('bring a private key (PEM, no passphrase); published first like any other')
    .addOption(algorithm(SIGNS_WITH))
    .action(async (file: string, { alg }, command: Command) =>
      show(command, (await ask('keys.import', { pem: await readFile(file), alg })) as Item, details),
    );
}
