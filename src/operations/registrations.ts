import { z } from 'zod';
import type { Leave } from '../domain/index.ts';
import { seconds } from '../lib/index.ts';
import { listing, operation } from './operation.ts';
import { iso, text } from './shapes.ts';

const leaveJson = ({ id, left, createdAt, expiresAt }: Leave) => ({
  id,
  left,
  created_at: iso(createdAt),
  expires_at: iso(expiresAt),
});

const listed = listing(async (domain, page) => {
  const { leaves: items, next } = await domain.registrations.list(page);
  return { items, next };
}, leaveJson);

export const registrations = {
  'registration.add': operation(
    /** `ttl` in seconds. */
    z.strictObject({ ttl: z.number().optional(), uses: z.number().optional() }),
    async (domain, { ttl, uses }) => {
      const { token, leave } = await domain.registrations.allow({
        ttl: ttl === undefined ? undefined : seconds(ttl),
        uses,
      });
      const { id, ...rest } = leaveJson(leave);
      return { id, initial_access_token: token, ...rest };
    },
  ),
  'registration.list': listed.list,
  'registration.page': listed.page,
  'registration.remove': operation(z.strictObject({ id: text }), async (domain, { id }) => {
    await domain.registrations.withdraw(id);
    return { id, removed: true };
  }),
};
