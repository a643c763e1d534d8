import { z } from 'zod';
import { byId, type Domain, deviceName } from '../domain/index.ts';
import { iso, Refusal } from '../lib/index.ts';
import { onePage, operation, pageOf } from './operation.ts';
import { moment, text } from './shapes.ts';
import { named, one } from './users.ts';

type Listed = Awaited<ReturnType<Domain['signIns']['listWithApplications']>>['signIns'][number];

const sessionShape = z
  .strictObject({
    id: z.string().describe('names the session; nothing but ending it can be done with it'),
    signed_in_at: moment.nullable(),
    last_seen_at: moment.nullable(),
    address: z.string().nullable(),
    browser: z.string().nullable(),
    system: z.string().nullable(),
    user_agent: z.string().nullable(),
    clients: z
      .array(z.strictObject({ client_id: z.string(), client_name: z.string() }))
      .describe('what they got in it ends with it'),
  })
  .meta({ id: 'Session' });

const sessionJson = ({ id, signedInAt, lastSeenAt, address, userAgent, applications }: Listed) => {
  const { browser = null, system = null } = deviceName(userAgent);
  return {
    id,
    signed_in_at: iso(signedInAt),
    last_seen_at: iso(lastSeenAt),
    address: address || null,
    browser,
    system,
    user_agent: userAgent || null,
    clients: applications.map(({ id: client_id, name: client_name }) => ({ client_id, client_name })),
  };
};

export const userSessions = {
  'user.sessions': operation(one, z.array(sessionShape), async (domain, { user }) =>
    (await domain.signIns.listWithApplications((await named(domain, user)).id)).signIns.map(sessionJson),
  ),
  'user.sessions-page': operation(
    onePage(/^[\w-]{43}/).extend(one.shape),
    pageOf(sessionShape),
    async (domain, { user, ...page }) => {
      const { id } = await named(domain, user);
      const { signIns, next } = await domain.signIns.listWithApplications(id, { ...page, order: byId });
      return { items: signIns.map(sessionJson), ...(next !== undefined && { next }) };
    },
  ),
  'user.end-session': operation(
    one.extend({ session: text.describe('its id, as they are listed') }),
    z.strictObject({ id: z.string(), email: z.string(), session: z.string(), ended: z.literal(true) }),
    async (domain, { user, session }) => {
      const { id, email } = await named(domain, user);
      if (!(await domain.signIns.end(id, session)))
        throw new Refusal('session_unknown', `${email} has no such session, or it is over`);
      return { id, email, session, ended: true } as const;
    },
  ),
};
