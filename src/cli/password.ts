import { Refusal } from '../lib/index.ts';
import type { Terminal } from './terminal.ts';

const LARGEST = 4096;

/** The first line of stdin, without its end. @throws Refusal `password_missing` */
export const passwordFromInput = (terminal: Terminal): Promise<string> => firstLine(terminal, 'password');

/** The same for a client secret. @throws Refusal `client_secret_missing` */
export const clientSecretFromInput = (terminal: Terminal): Promise<string> => firstLine(terminal, 'client secret');

async function firstLine(terminal: Terminal, what: string): Promise<string> {
  const [line = ''] = (await terminal.readInput(LARGEST)).split(/\r?\n/, 1);
  if (line === '') throw new Refusal(`${what.replace(' ', '_')}_missing`, `there is no ${what} on stdin`);
  return line;
}

/** Asks twice. @throws Refusal `passwords_differ` */
export async function passwordFromPerson(terminal: Terminal): Promise<string> {
  const password = await terminal.askHidden('Password: ');
  if ((await terminal.askHidden('Again: ')) !== password)
    throw new Refusal('passwords_differ', 'the two are not the same: nothing was changed');
  return password;
}

/** Asks once: it was issued, not thought up. Undefined where nothing was typed: the client has none. */
export const clientSecretFromPerson = async (terminal: Terminal): Promise<string | undefined> =>
  (await terminal.askHidden('Client secret (empty if there is none): ')) || undefined;
