import type { Command } from 'commander';
import { Refusal } from '../../lib/index.ts';
import { passwordFromInput, passwordFromPerson } from '../password.ts';
import { details, type Item, table } from '../print.ts';
import type { Context } from './context.ts';
import { userImportCommand } from './user-import.ts';

const WHO = 'their e-mail address or id';

export function userCommands(program: Command, context: Context): void {
  const { ask, show, terminal } = context;
  const user = program.command('user').description('people who can sign in');

  user
    .command('add <email>')
    .description('add a person; asks for a password, or leaves them without one where nobody can be asked')
    .option('--name <name>', 'what they are called')
    .option('--password-stdin', 'read the password from the first line of stdin')
    .option('--admin', 'an operator: the setting second_factor may ask more of them, and no code is mailed to them')
    .option('--email-verified', 'the address is known to be theirs: applications are told so (email_verified)')
    .action(async (email: string, options, command: Command) => {
      const password = options.passwordStdin
        ? await passwordFromInput(terminal)
        : terminal.interactive
          ? await passwordFromPerson(terminal)
          : undefined;
      const { name, admin, emailVerified: email_verified } = options;
      const added = await ask('user.add', { email, name, password, admin, email_verified });
      if (password === undefined)
        terminal.note(
          `${email} has no password and cannot sign in with one: postern user password ${email}, or postern user invite ${email} to have them choose it`,
        );
      show(command, added as Item, details);
    });

  user
    .command('invite <email>')
    .description('mail somebody a link with which they choose a password; again for whoever did not use the first')
    .option('--name <name>', 'what they are called, until they say otherwise')
    .option('--admin', 'an operator: the setting second_factor may ask more of them, and no code is mailed to them')
    .option('--language <tag>', 'of the mail', 'en')
    .action(async (email: string, { name, admin, language }, command: Command) =>
      show(command, (await ask('user.invite', { email, name, admin, language })) as Item, details),
    );

  user
    .command('list')
    .description('everybody')
    .option('--search <text>', 'those who have it in their names or addresses')
    .action(async ({ search }: { search?: string }, command: Command) =>
      show(command, (await ask('user.list', { search })) as Item[], (people) =>
        table(people, ['id', 'email', 'name', 'admin', 'disabled', 'created_at']),
      ),
    );

  userImportCommand(user, context);

  user
    .command('factors <user>')
    .description('what a person proves themselves with beside the password')
    .addHelpText('after', `\n<user> is ${WHO}.`)
    .action(async (who: string, _, command: Command) =>
      show(command, (await ask('user.factors', { user: who })) as Item[], (factors) =>
        table(factors, ['id', 'kind', 'name', 'codes_left', 'created_at', 'last_used_at']),
      ),
    );

  user
    .command('sessions <user>')
    .description('where a person is signed in, and which applications got something there')
    .addHelpText('after', `\n<user> is ${WHO}.`)
    .action(async (who: string, _, command: Command) =>
      show(command, (await ask('user.sessions', { user: who })) as Item[], (sessions) =>
        table(sessions.map(inLine), ['id', 'last_seen_at', 'signed_in_at', 'address', 'browser', 'system', 'clients']),
      ),
    );

  user
    .command('end-session <user> <session>')
    .description('end one of their sign-ins, and what applications got in it; sign-out ends them all')
    .addHelpText('after', `\n<user> is ${WHO}; <session> is an id of: postern user sessions <user>.`)
    .action(async (who: string, session: string, _, command: Command) =>
      show(command, (await ask('user.end-session', { user: who, session })) as Item, details),
    );

  user
    .command('update <user>')
    .description('correct what is known of a person; what is not named stays')
    .option('--name <name>', 'what they are called')
    .option(
      '--email <email>',
      'their address, which they have not confirmed; the one before is told where it was confirmed',
    )
    .option('--email-verified', 'the address is known to be theirs')
    .option('--no-email-verified', 'it is not')
    .option('--admin', 'an operator; they are signed out everywhere, since other rules hold for them')
    .option('--no-admin', 'no operator any more; they are signed out everywhere')
    .addHelpText('after', `\n<user> is ${WHO}.`)
    .action(async (who: string, { name, email, emailVerified: email_verified, admin }, command: Command) => {
      if ([name, email, email_verified, admin].every((said) => said === undefined))
        throw new Refusal('arguments_invalid', 'nothing to change was named: see postern user update --help');
      show(command, (await ask('user.update', { user: who, name, email, email_verified, admin })) as Item, details);
    });

  for (const [verb, description] of [
    ['show', 'one person'],
    ['sign-out', 'sign a person out everywhere, and end all that was issued to them'],
    ['disable', 'sign a person out everywhere and let them in no more'],
    ['enable', 'let a disabled person in again'],
    ['reset-factors', 'take away the second factors of somebody who lost them all, and sign them out everywhere'],
    ['remove', 'remove a person and everything issued to them'],
  ] as const)
    user
      .command(`${verb} <user>`)
      .description(description)
      .addHelpText('after', `\n<user> is ${WHO}.`)
      .action(async (who: string, _, command: Command) =>
        show(command, (await ask(`user.${verb}`, { user: who })) as Item, details),
      );

  user
    .command('password <user>')
    .description('give a person a new password, which signs them out everywhere')
    .option('--password-stdin', 'read it from the first line of stdin, as happens where nobody can be asked')
    .addHelpText('after', `\n<user> is ${WHO}.`)
    .action(async (who: string, options, command: Command) => {
      const asked = terminal.interactive && !options.passwordStdin;
      const password = await (asked ? passwordFromPerson : passwordFromInput)(terminal);
      show(command, (await ask('user.password', { user: who, password })) as Item, details);
    });

  user
    .command('password-reset <user>')
    .description('mail a person a link with which they choose a new password; the old one works until then')
    .option('--language <tag>', 'of the mail; theirs, where it is known, unless said')
    .addHelpText('after', `\n<user> is ${WHO}.`)
    .action(async (who: string, { language }: { language?: string }, command: Command) =>
      show(command, (await ask('user.password-reset', { user: who, language })) as Item, details),
    );
}

/** Applications by their names. */
const inLine = ({ clients, ...session }: Item): Item => ({
  ...session,
  clients: (clients as readonly Item[]).map(({ client_name }) => client_name).join(', '),
});
