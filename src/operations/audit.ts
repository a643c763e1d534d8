import { z } from 'zod';
import type { Domain } from '../domain/index.ts';
import { iso } from '../lib/index.ts';
import { operation } from './operation.ts';
import { moment, text } from './shapes.ts';
import { named } from './users.ts';

/** Whoever is removed has no name any more; what happened to them is kept under their id. */
const idOf = async (domain: Domain, user: string): Promise<string> =>
  user.startsWith('usr_') && !user.includes('@') ? user : (await named(domain, user)).id;

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

export const audit = {
  audit: operation(
    z.strictObject({
      user: text.optional().describe('an e-mail address or an id'),
      type: text.optional().describe('a kind of event, or what stands before its dot for all of these'),
      limit: z.int().min(1).max(10_000).prefault(50).describe('events at most, the newest first'),
    }),
    z.array(eventShape),
    async (domain, { user, type, limit }) => {
      const people = new Map<string, string | undefined>();
      const emailOf = async (id: string): Promise<string | undefined> => {
        if (!people.has(id)) people.set(id, (await domain.accounts.get(id))?.email);
        return people.get(id);
      };
      const found = [];
      for await (const event of domain.audit.events(user === undefined ? undefined : await idOf(domain, user))) {
        if (type !== undefined && event.type !== type && !event.type.startsWith(`${type}.`)) continue;
        const { id, at, accountId, clientId, details } = event;
        found.push({
          id,
          at: iso(at),
          type: event.type,
          user: accountId ?? null,
          email: (accountId && (await emailOf(accountId))) ?? null,
          client_id: clientId ?? null,
          details,
        });
        if (found.length === limit) break;
      }
      return found;
    },
  ),
};
