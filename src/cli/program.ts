import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { loadSettings, type Settings, SettingsError } from '../config/index.ts';
import { Refusal, silent } from '../lib/index.ts';
import { StoreUnavailable } from '../store/index.ts';
import { createAsk, createBackup } from './client.ts';
import { clientCommands } from './commands/client.ts';
import type { Context } from './commands/context.ts';
import { keysCommands } from './commands/keys.ts';
import { registrationCommands } from './commands/registration.ts';
import { resourceCommands } from './commands/resource.ts';
import { serverCommands } from './commands/server.ts';
import { storeCommands } from './commands/store.ts';
import { upstreamCommands } from './commands/upstream.ts';
import { userCommands } from './commands/user.ts';
import { document, visible } from './print.ts';
import type { Terminal } from './terminal.ts';

const JSON_OPTION = ['--json', 'print one JSON document'] as const;

/** The whole command line. `run` gives the exit code, and never throws. */
export function createProgram(terminal: Terminal) {
  let known: Settings | undefined;
  const settings = (): Settings => {
    known ??= loadSettings(terminal.env);
    return known;
  };
  const here = () => ({ settings: settings(), log: silent, pid: terminal.pid, note: terminal.note });
  const context: Context = {
    terminal,
    settings,
    ask: (...request) => createAsk(here())(...request),
    backup: () => createBackup(here()),
    show: (command, result, text) => terminal.out(command.optsWithGlobals().json ? document(result) : text(result)),
  };

  const program = new Command('postern')
    .description('Administers a Postern server, whether it runs or not.')
    .option(...JSON_OPTION)
    .version(version(), '--version', 'print which release this is')
    .showSuggestionAfterError();
  for (const add of [
    userCommands,
    clientCommands,
    registrationCommands,
    resourceCommands,
    upstreamCommands,
    keysCommands,
    storeCommands,
    serverCommands,
  ])
    add(program, context);
  everyCommand(program, (command) => {
    command
      .exitOverride()
      // A failure is told once, by `run`.
      .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: () => {}, outputError: () => {} });
    if (command.commands.length === 0) command.option(...JSON_OPTION);
  });

  return {
    async run(args: readonly string[]): Promise<number> {
      try {
        await program.parseAsync(withKidsLast(args), { from: 'user' });
        return 0;
      } catch (error) {
        if (error instanceof CommanderError && error.exitCode === 0) return 0;
        for (const line of explain(error, asked(program, args))) terminal.note(visible(line));
        return 1;
      }
    },
  };
}

/** A kid has 43 characters, the first of which may be a hyphen; no option is as long. */
const KID_LIKE_OPTION = /^-[\w-]{42}$/;

function withKidsLast(args: readonly string[]): readonly string[] {
  const kids = args.filter((arg) => KID_LIKE_OPTION.test(arg));
  if (kids.length === 0 || args.includes('--')) return args;
  return [...args.filter((arg) => !kids.includes(arg)), '--', ...kids];
}

function everyCommand(command: Command, act: (command: Command) => void): void {
  act(command);
  for (const child of command.commands) everyCommand(child, act);
}

/** The command, or group of commands, that the first words name: `postern user`. */
function asked(program: Command, args: readonly string[]): string {
  const names = [program.name()];
  let at: Command | undefined = program;
  for (const arg of args) {
    at = at.commands.find((command) => command.name() === arg);
    if (!at) break;
    names.push(arg);
  }
  return names.join(' ');
}

const version = (): string =>
  (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;

function explain(error: unknown, command: string): readonly string[] {
  if (error instanceof SettingsError) return error.problems;
  // Without a command, commander shows its help and gives no sentence.
  if (error instanceof CommanderError && error.code === 'commander.help')
    return [`which command? ${command} --help lists them`];
  // What was typed is not what the command takes: its help says that.
  if (error instanceof CommanderError) return [`${oneLine(error.message).replace(/\.$/, '')}; see ${command} --help`];
  if (error instanceof Refusal || error instanceof StoreUnavailable) return [oneLine(error.message)];
  return [`a fault of ours: ${oneLine(error instanceof Error ? `${error.name}: ${error.message}` : String(error))}`];
}

const oneLine = (text: string): string => text.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ');
