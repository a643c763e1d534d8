import { z } from 'zod';
import type { Domain } from '../domain/index.ts';
import { iso } from '../lib/index.ts';
import { afterOne, onePage, operation, pageOf } from './operation.ts';
import { moment, text } from './shapes.ts';
import { named } from './users.ts';

/** Whoever is removed has no name any more; what happened to them is kept under their id. */
const idOf = async (domain: Domain, user: string): Promise<string> =>
  user.startsWith('usr_') && !user.includes('@') ? user : (await named(domain, user)).id;

const EVENT = /^evt_/;

const eventShape = z
  .strictObject({
    id: z.string(),
    at: moment.nullable(),
    type: z.string(),
    user: z.string().nullable(),
    email: z.string().nullable(),
    client_id: z.string().nullable(),
    details: z.record(z.string(), z.unknown()).describe('`by`, `by_client`: whose doing it was'),
  })
  .meta({ id: 'Event' });

const asked = {
  user: text.optional().describe('an e-mail address or an id'),
  type: text.optional().describe('a kind of event, or what stands before its dot for all of these'),
};

interface Search extends Pick<Parameters<Domain['audit']['search']>[0], 'after' | 'limit' | 'most'> {
  readonly user?: string | undefined;
  readonly type?: string | undefined;
}

/** A page of events, each with the address of whom it is about while they have one here. */
async function told(domain: Domain, { user, ...search }: Search) {
  const accountId = user === undefined ? undefined : await idOf(domain, user);
  const { events, next } = await domain.audit.search({ ...search, accountId });
  const ids = new Set(events.flatMap((event) => event.accountId ?? []));
  const emails = new Map(
    await Promise.all([...ids].map(async (id) => [id, (await domain.accounts.get(id))?.email] as const)),
  );
  const items = events.map(({ id, at, type, accountId, clientId, details }) => ({
    id,
    at: iso(at),
    type,
    user: accountId ?? null,
    email: emails.get(accountId ?? '') ?? null,
    client_id: clientId ?? null,
    details,
  }));
  return { items, ...(next !== undefined && { next }) };
}

export const audit = {
  audit: operation(
    z.strictObject({
      ...asked,
      after: afterOne(EVENT),
      limit: z.int().min(1).max(10_000).prefault(50).describe('events at most, the newest first'),
    }),
    z.array(eventShape),
    // Whoever asks waits until as many are found, or there are no more.
    async (domain, search) => (await told(domain, { ...search, most: Number.POSITIVE_INFINITY })).items,
  ),
  'audit.page': operation(onePage(EVENT).extend(asked), pageOf(eventShape), told),
};
