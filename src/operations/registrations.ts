import { z } from 'zod';
import type { Leave } from '../domain/index.ts';
import { iso, seconds } from '../lib/index.ts';
import { listing, operation } from './operation.ts';
import { moment, text } from './shapes.ts';

const one = z.strictObject({ id: text });

const leaveShape = z
  .strictObject({
    id: z.string(),
    left: z.int().describe('how many more may register with it'),
    created_at: moment.nullable(),
    expires_at: moment.nullable(),
  })
  .meta({ id: 'RegistrationToken' });

const leaveJson = ({ id, left, createdAt, expiresAt }: Leave) => ({
  id,
  left,
  created_at: iso(createdAt),
  expires_at: iso(expiresAt),
});

const listed = listing(
  /^reg_/,
  async (domain, page) => {
    const { leaves: items, next } = await domain.registrations.list(page);
    return { items, next };
  },
  leaveShape,
  leaveJson,
);

export const registrations = {
  'registration.add': operation(
    z.strictObject({
      ttl: z.number().optional().describe('seconds for which it is good'),
      uses: z.number().optional().describe('how many applications may register with it'),
    }),
    leaveShape
      .extend({ initial_access_token: z.string().describe('shown this once') })
      .meta({ id: 'NewRegistrationToken' }),
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
  'registration.remove': operation(one, one.extend({ removed: z.literal(true) }), async (domain, { id }) => {
    await domain.registrations.withdraw(id);
    return { id, removed: true } as const;
  }),
};
