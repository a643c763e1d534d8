import type { Command } from 'commander';
import { Refusal } from '../../lib/index.ts';
import { table } from '../print.ts';
import type { Context } from './context.ts';
import { readFile } from './input.ts';

/** Room for 100,000 people; what comes through the control socket has to fit. */
const LARGEST = 48 * 1024 * 1024;
/** More reasons than these are for `--json`. */
const SHOWN = 50;

interface Outcome {
  readonly imported: number;
  readonly refused: readonly { readonly line: number; readonly reason: string }[];
}

const HELP = `
One JSON object a line: email, and as far as there is: name, email_verified, disabled, password_hash.
Hashes as Django, werkzeug, passlib, bcrypt and argon2 write them; people sign in with the password they had.
All of the file comes in, or nobody. - is stdin.`;

export function userImportCommand(user: Command, { ask, show, terminal }: Context): void {
  user
    .command('import <file>')
    .description('bring people from another system, with the passwords they had')
    .addHelpText('after', HELP)
    .action(async (file: string, _, command: Command) => {
      const text = file === '-' ? await terminal.readInput(LARGEST) : await readFile(file, LARGEST);
      const outcome = (await ask('user.import', { lines: text.trimEnd().split(/\r?\n/) })) as Outcome;
      show(command, outcome, inWords);
      const { length } = outcome.refused;
      if (length > 0)
        throw new Refusal(
          'import_refused',
          `${length} ${length === 1 ? 'line is' : 'lines are'} refused: nobody was imported`,
        );
    });
}

function inWords({ imported, refused }: Outcome): string {
  if (refused.length === 0) return `${imported} ${imported === 1 ? 'person' : 'people'} imported\n`;
  const more = refused.length - SHOWN;
  return `${table(refused.slice(0, SHOWN), ['line', 'reason'])}${more > 0 ? `and ${more} more: --json lists them all\n` : ''}`;
}
