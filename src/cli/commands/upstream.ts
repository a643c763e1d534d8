import { type Command, Option } from 'commander';
import { KIND_NAMES } from '../../upstream/index.ts';
import { clientSecretFromInput, clientSecretFromPerson } from '../password.ts';
import { details, type Item, table } from '../print.ts';
import { type Context, collectWords } from './context.ts';

interface TermOptions {
  readonly name?: string;
  readonly clientId?: string;
  readonly clientSecretStdin?: boolean;
  readonly scope?: string[];
  readonly trustEmail?: boolean;
  readonly signUp?: boolean;
}

const withTerms = (command: Command): Command =>
  command
    .option('--name <name>', 'what the button calls it')
    .option('--client-secret-stdin', 'read the client secret from the first line of stdin')
    .option('--scope <scope>', 'what is asked of it, instead of what its kind brings (repeatable)', collectWords)
    .option('--trust-email', 'believe it about e-mail addresses that it says are verified')
    .option('--sign-up', 'give whoever it vouches for, and nobody knows, an account');

export function upstreamCommands(program: Command, { ask, show, terminal }: Context): void {
  const upstream = program.command('upstream').description('providers people may sign in with: Google, GitHub, …');

  withTerms(upstream.command('add <id>').description('offer a provider on the sign-in page'))
    .addOption(new Option('--kind <kind>', 'how it is talked to').choices(KIND_NAMES).makeOptionMandatory())
    .requiredOption('--client-id <id>', 'what it knows this server by')
    .option('--issuer <url>', 'where it is: an OpenID Connect issuer, or a GitHub Enterprise Server')
    .option('--tenant <tenant>', 'of Microsoft: an id, a domain, organizations, consumers or common')
    .addHelpText(
      'after',
      '\n<id> is a short name for paths, such as google. Without a terminal and without --client-secret-stdin the client has no secret.',
    )
    .action(
      async (id: string, options: TermOptions & Record<'kind' | 'issuer' | 'tenant', string>, command: Command) => {
        const { kind, issuer, tenant } = options;
        const client_secret =
          terminal.interactive && !options.clientSecretStdin
            ? await clientSecretFromPerson(terminal)
            : await secretIn(options);
        const added = (await ask('upstream.add', {
          ...termsIn(id, options),
          client_secret,
          kind,
          issuer,
          tenant,
        })) as Item;
        show(command, added, details);
        terminal.note(`register this callback (redirect URI) there: ${added['callback']}`);
      },
    );

  withTerms(upstream.command('update <id>').description('change what is named, keep the rest'))
    .option('--client-id <id>', 'what it knows this server by')
    .option('--no-trust-email', 'believe it about no e-mail address')
    .option('--no-sign-up', 'whoever nobody knows is not given an account')
    .action(async (id: string, options: TermOptions, command: Command) => {
      const client_secret = await secretIn(options);
      show(command, (await ask('upstream.update', { ...termsIn(id, options), client_secret })) as Item, details);
    });

  upstream
    .command('list')
    .description('every provider')
    .action(async (_, command: Command) =>
      show(command, (await ask('upstream.list')) as Item[], (upstreams) =>
        table(upstreams, ['id', 'name', 'kind', 'issuer', 'trust_email', 'sign_up', 'callback']),
      ),
    );

  upstream
    .command('remove <id>')
    .description('offer a provider no more, and forget who is linked to it')
    .action(async (id: string, _, command: Command) =>
      show(command, (await ask('upstream.remove', { id })) as Item, details),
    );

  const secretIn = async ({ clientSecretStdin }: TermOptions): Promise<string | undefined> =>
    clientSecretStdin ? clientSecretFromInput(terminal) : undefined;
}

const termsIn = (id: string, options: TermOptions) => ({
  id,
  name: options.name,
  client_id: options.clientId,
  scopes: options.scope,
  trust_email: options.trustEmail,
  sign_up: options.signUp,
});
