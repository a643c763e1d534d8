/**
 * operations: what an operator can have done, by name, as JSON in and JSON out.
 *
 * The same table is run by the server, asked through its control socket or at `/admin`, and by the command line itself on a
 * store it opened: none of them can do anything the others cannot. It decides nothing; the domain does.
 */
import type { Domain } from '../domain/index.ts';
import { Refusal } from '../lib/index.ts';
import { StoreConflict } from '../store/index.ts';
import { audit } from './audit.ts';
import { clients } from './clients.ts';
import { keys } from './keys.ts';
import { type Asking, faultsOf, type Operation } from './operation.ts';
import { refusals } from './refusals.ts';
import { registrations } from './registrations.ts';
import { resources } from './resources.ts';
import { upstreams } from './upstreams.ts';
import { userImport } from './user-import.ts';
import { userSessions } from './user-sessions.ts';
import { users } from './users.ts';

const OPERATIONS = {
  ...users,
  ...userSessions,
  ...userImport,
  ...clients,
  ...registrations,
  ...resources,
  ...upstreams,
  ...keys,
  ...refusals,
  ...audit,
};

export type OperationName = keyof typeof OPERATIONS;

const isName = (name: unknown): name is OperationName => typeof name === 'string' && Object.hasOwn(OPERATIONS, name);

/** What an operation takes and gives, for whoever has to say so. */
export const shapesOf = (name: OperationName): Pick<Operation, 'takes' | 'gives'> => OPERATIONS[name];

export const operationNames = Object.keys(OPERATIONS) as readonly OperationName[];

/**
 * Checks what came and does it.
 * @param asking what whoever asks may have done beside what everybody may who may ask at all
 * @throws Refusal `operation_unknown`, `arguments_invalid`, `conflict`, and whatever the domain refuses
 */
export async function perform(domain: Domain, name: unknown, args: unknown, asking: Asking = {}): Promise<unknown> {
  if (!isName(name)) throw new Refusal('operation_unknown', 'there is no such operation');
  const operation: Operation = OPERATIONS[name];
  const parsed = operation.takes.safeParse(args ?? {});
  if (!parsed.success) throw new Refusal('arguments_invalid', faultsOf(parsed.error));
  try {
    return await operation.run(domain, parsed.data as never, asking);
  } catch (cause) {
    if (!(cause instanceof StoreConflict)) throw cause;
    throw new Refusal('conflict', 'somebody else changed the same thing at that moment: try again', { cause });
  }
}
