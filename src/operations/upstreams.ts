import { z } from 'zod';
import type { Domain, RegisteredUpstream } from '../domain/index.ts';
import { kindOf, settleScopes, settleTerms } from '../upstream/index.ts';
import { operation } from './operation.ts';
import { iso, text, texts } from './shapes.ts';

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
  'upstream.update': operation(terms, async (domain, { id, name, client_id, scopes, ...args }) => {
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
  'upstream.list': operation(z.strictObject({}), async (domain) =>
    domain.upstreams.list().map((each) => upstreamJson(domain, each)),
  ),
  'upstream.remove': operation(z.strictObject({ id: text }), async (domain, { id }) => ({
    id,
    removed: true,
    /** People who were linked to it. */
    unlinked: await domain.upstreams.remove(id),
  })),
};
