import { type Command, InvalidArgumentError, Option } from 'commander';
import { STATIC_SCOPES } from '../../engine/scopes.ts';
import { Refusal } from '../../lib/index.ts';
import { details, type Item, table } from '../print.ts';
import { type Context, collect, collectWords } from './context.ts';
import { readFile, secondsIn } from './input.ts';

/** Those that no type of application brings. */
const GRANTS = ['password', 'device_code'] as const;
type Grant = (typeof GRANTS)[number];

/** As commander gives them: `false` where the option's `--no-…` was written. */
interface TermOptions {
  readonly name?: string;
  readonly redirectUri?: string[] | false;
  readonly postLogoutRedirectUri?: string[] | false;
  readonly backchannelLogoutUri?: string | false;
  readonly backchannelLogoutSessionRequired?: boolean;
  readonly scope?: string[] | false;
  readonly resource?: string[] | false;
  readonly grant?: Grant[] | false;
  readonly firstParty?: boolean;
  readonly acr?: string[] | false;
  readonly jwks?: string | false;
}

interface UpdateOptions extends TermOptions {
  readonly vouched?: boolean;
}

function collectGrants(value: string, before: Grant[] | false | undefined): Grant[] {
  const grant = GRANTS.find((one) => one === value);
  if (!grant) throw new InvalidArgumentError(`Allowed choices are ${GRANTS.join(', ')}.`);
  return [...(before || []), grant];
}

const withTerms = (command: Command): Command =>
  command
    .option('--redirect-uri <uri>', 'where it may have people sent back to (repeatable)', collect)
    .option('--post-logout-redirect-uri <uri>', 'the same after signing out (repeatable)', collect)
    .option('--backchannel-logout-uri <uri>', 'where it is told that somebody is signed out')
    .option('--backchannel-logout-session-required', 'it has to be told which session, not only whose')
    .option('--scope <scope>', 'what it may ask for; everything unless given (repeatable)', collectWords)
    .option('--resource <uri>', 'an API it may ask tokens for; the first is its default (repeatable)', collect)
    .option(
      `--grant <${GRANTS.join('|')}>`,
      'a grant its type does not bring; device_code: people sign in on another device (repeatable)',
      collectGrants,
    )
    .option('--first-party', 'it is ours: nobody is asked for consent')
    .option(
      '--acr <value>',
      'how people are proven for it, such as urn:postern:acr:two-factor (repeatable: any of these)',
      collect,
    )
    .option('--jwks <file>', 'its public keys (a JWK set), instead of a secret');

export function clientCommands(program: Command, { ask, settings, show, terminal }: Context): void {
  const client = program.command('client').description('applications that sign people in or call APIs');

  const showSecret = (command: Command, result: unknown): void => {
    show(command, result as Item, details);
    if ((result as Item)['client_secret']) terminal.note('the client_secret is shown this once: keep it now');
  };

  /** A mistyped scope is refused nowhere: a person's request is narrowed to those there are. */
  const tellUndefinedScopes = async (result: unknown): Promise<void> => {
    const { scopes, resources } = result as { scopes: string[]; resources: string[] };
    if (scopes.length === 0) return;
    const apis = (await ask('resource.list')) as { uri: string; scopes: string[] }[];
    // The default audience is everybody's.
    const theirs = [...resources, settings().audience ?? `${settings().issuer}/api`];
    const defined = apis.filter(({ uri }) => theirs.includes(uri)).flatMap((api) => api.scopes);
    const unknown = scopes.filter((scope) => ![...STATIC_SCOPES, ...defined].includes(scope));
    if (unknown.length > 0) terminal.note(`no API of this client defines ${unknown.join(' ')}: it will not get that`);
  };

  withTerms(client.command('add <name>').description('register an application'))
    .addOption(
      new Option('--type <type>', 'where it runs').choices(['web', 'spa', 'native', 'service']).makeOptionMandatory(),
    )
    .action(async (name: string, options: TermOptions & { type: string }, command: Command) => {
      const added = await ask('client.add', { ...(await termsIn(options)), name, type: options.type });
      showSecret(command, added);
      await tellUndefinedScopes(added);
    });

  client
    .command('list')
    .description('every application')
    .action(async (_, command: Command) =>
      show(command, (await ask('client.list')) as Item[], (clients) =>
        table(clients, ['client_id', 'client_name', 'type', 'grant_types', 'first_party', 'registered_itself']),
      ),
    );

  withTerms(client.command('update <client_id>').description('change what is named, keep the rest'))
    .option('--name <name>', 'what people see')
    .option('--no-redirect-uri', 'none')
    .option('--no-post-logout-redirect-uri', 'none')
    .option('--no-backchannel-logout-uri', 'it is told nothing')
    .option('--no-backchannel-logout-session-required', 'it is told whose session, perhaps not which')
    .option('--no-scope', 'everything again')
    .option('--no-resource', 'none but the default audience')
    .option('--no-grant', 'no grant but those of its type')
    .option('--no-first-party', 'people are asked for consent')
    .option('--no-acr', 'no more than for signing in')
    .option('--no-jwks', 'a new secret instead of its keys')
    .option('--vouched', 'it registered itself, and somebody here knows it: people are not warned')
    .option('--no-vouched', 'people are warned of it again')
    .action(async (client_id: string, options: UpdateOptions, command: Command) => {
      const { vouched } = options;
      const updated = await ask('client.update', { ...(await termsIn(options)), client_id, vouched });
      showSecret(command, updated);
      await tellUndefinedScopes(updated);
    });

  client
    .command('rotate-secret <client_id>')
    .description('a new secret; every old one stops at once')
    .option(
      '--keep-old-for <duration>',
      'the old one stays good for so long beside it, such as 1d (30d at most), and those kept before for as long as was said',
    )
    .action(async (client_id: string, { keepOldFor }: { keepOldFor?: string }, command: Command) =>
      showSecret(
        command,
        await ask('client.rotate-secret', {
          client_id,
          keep_old_for: keepOldFor === undefined ? undefined : secondsIn(keepOldFor),
        }),
      ),
    );

  for (const [verb, description] of [
    ['show', 'one application'],
    ['remove', 'remove an application and everything issued to it'],
  ] as const)
    client
      .command(`${verb} <client_id>`)
      .description(description)
      .action(async (client_id: string, _, command: Command) =>
        show(command, (await ask(`client.${verb}`, { client_id })) as Item, details),
      );
}

const termsIn = async (options: TermOptions) => ({
  name: options.name,
  redirect_uris: listed(options.redirectUri),
  post_logout_redirect_uris: listed(options.postLogoutRedirectUri),
  backchannel_logout_uri: options.backchannelLogoutUri === false ? '' : options.backchannelLogoutUri,
  backchannel_logout_session_required: options.backchannelLogoutSessionRequired,
  scopes: listed(options.scope),
  resources: listed(options.resource),
  password_grant: given(options, 'password'),
  device_grant: given(options, 'device_code'),
  first_party: options.firstParty,
  default_acr_values: listed(options.acr),
  jwks: options.jwks === false ? null : options.jwks && (await readJwks(options.jwks)),
});

const given = ({ grant }: TermOptions, which: Grant): boolean | undefined =>
  grant === undefined ? undefined : grant !== false && grant.includes(which);

const listed = (value: string[] | false | undefined): string[] | undefined => (value === false ? [] : value);

async function readJwks(file: string): Promise<unknown> {
  const text = await readFile(file);
  try {
    // `null` would be no keys at all.
    return JSON.parse(text) ?? {};
  } catch (cause) {
    throw new Refusal('file_unreadable', `${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
}
