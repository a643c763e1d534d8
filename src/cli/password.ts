import { Refusal } from '../lib/index.ts';
import type { Terminal } from './terminal.ts';

const LARGEST = 4096;

/** The first line of stdin, without its end. @throws Refusal `password_missing` */
export async function passwordFromInput(terminal: Terminal): Promise<string> {
  const [line = ''] = (await terminal.readInput(LARGEST)).split(/\r?\n/, 1);
  if (line === '') throw new Refusal('password_missing', 'there is no password on stdin');
  return line;
}

/** Asks twice. @throws Refusal `passwords_differ` */
export async function passwordFromPerson(terminal: Terminal): Promise<string> {
  const password = await terminal.askHidden('Password: ');
  if ((await terminal.askHidden('Again: ')) !== password)
    throw new Refusal('passwords_differ', 'the two are not the same: nothing was changed');
  return password;
}
