import { z } from 'zod';
import type { Domain, RegisteredUpstream } from '../domain/index.ts';
import { iso, Refusal } from '../lib/index.ts';
import { kindOf, settleScopes, settleTerms } from '../upstream/index.ts';
import { operation } from './operation.ts';
import { moment, text, texts } from './shapes.ts';

const one = z.strictObject({ id: text });

const terms = z.strictObject({
  id: text,
  name: text.optional(),
  client_id: text.optional(),
  client_secret: text.optional(),
  scopes: texts.optional(),
  trust_email: z.boolean().optional(),
  sign_up: z.boolean().optional(),
});

/** What an operator wrote, in the domain's words. */
const inDomain = (args: z.output<typeof terms>) => ({
  clientSecret: args.client_secret,
  trustsEmail: args.trust_email,
  signsUp: args.sign_up,
});

const upstreamShape = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    kind: z.string(),
    issuer: z.string(),
    client_id: z.string(),
    has_secret: z.boolean(),
    scopes: z.array(z.string()),
    trust_email: z.boolean(),
    sign_up: z.boolean(),
    callback: z.string().describe('to be registered there as the redirect URI'),
    created_at: moment.nullable(),
  })
  .meta({ id: 'Upstream' });

/** An upstream as operators see it; never anything of the secret but whether there is one. */
const upstreamJson = ({ upstreams }: Domain, upstream: RegisteredUpstream) => ({
  id: upstream.id,
  name: upstream.name,
  kind: upstream.kind,
  issuer: upstream.issuer,
  client_id: upstream.clientId,
  has_secret: upstream.sealedSecret !== undefined,
  scopes: upstream.scopes,
  trust_email: upstream.trustsEmail,
  sign_up: upstream.signsUp,
  callback: upstreams.callbackOf(upstream.id),
  created_at: iso(upstream.createdAt),
});

export const upstreams = {
  'upstream.add': operation(
    terms.extend({ client_id: text, kind: text, issuer: text.optional(), tenant: text.optional() }),
    upstreamShape,
    async (domain, { id, kind, issuer, tenant, name, client_id, scopes, ...args }) => {
      const settled = settleTerms({ kind, issuer, tenant, scopes });
      const added = await domain.upstreams.add({
        ...inDomain({ id, ...args }),
        ...settled,
        id,
        kind,
        clientId: client_id,
        name: name ?? settled.name,
      });
      return upstreamJson(domain, added);
    },
  ),
  'upstream.update': operation(terms, upstreamShape, async (domain, { id, name, client_id, scopes, ...args }) => {
    const before = await domain.upstreams.get(id);
    const kind = kindOf(before?.kind ?? '');
    const updated = await domain.upstreams.update(id, {
      ...inDomain({ id, ...args }),
      ...(name !== undefined && { name }),
      ...(client_id !== undefined && { clientId: client_id }),
      ...(scopes && kind && { scopes: settleScopes(kind, scopes) }),
    });
    return upstreamJson(domain, updated);
  }),
  'upstream.show': operation(one, upstreamShape, async (domain, { id }) => {
    const found = await domain.upstreams.get(id);
    if (!found) throw new Refusal('upstream_unknown', `there is no upstream ${JSON.stringify(id.slice(0, 80))}`);
    return upstreamJson(domain, found);
  }),
  'upstream.list': operation(z.strictObject({}), z.array(upstreamShape), async (domain) =>
    domain.upstreams.list().map((each) => upstreamJson(domain, each)),
  ),
  'upstream.remove': operation(
    one,
    one.extend({ removed: z.literal(true), unlinked: z.int().describe('people who were linked to it') }),
    async (domain, { id }) => ({ id, removed: true, unlinked: await domain.upstreams.remove(id) }) as const,
  ),
};
