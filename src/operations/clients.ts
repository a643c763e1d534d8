import { z } from 'zod';
import type { RegisteredClient } from '../domain/index.ts';
import { seconds } from '../lib/index.ts';
import { listing, operation } from './operation.ts';
import { clientJson, clientShape, text, texts } from './shapes.ts';

const one = z.strictObject({ client_id: text });

const terms = z.strictObject({
  name: text.optional(),
  redirect_uris: texts.optional(),
  post_logout_redirect_uris: texts.optional(),
  backchannel_logout_uri: text.optional(),
  backchannel_logout_session_required: z.boolean().optional(),
  scopes: texts.optional(),
  resources: texts.optional(),
  password_grant: z.boolean().optional(),
  device_grant: z.boolean().optional(),
  first_party: z.boolean().optional(),
  default_acr_values: texts.optional(),
  jwks: z.unknown().optional(),
});

/** What an operator wrote, in the domain's words. */
const inDomain = (args: z.output<typeof terms>) => ({
  redirectUris: args.redirect_uris,
  postLogoutRedirectUris: args.post_logout_redirect_uris,
  backchannelLogoutUri: args.backchannel_logout_uri,
  backchannelLogoutSessionRequired: args.backchannel_logout_session_required,
  scopes: args.scopes,
  resources: args.resources,
  passwordGrant: args.password_grant,
  deviceGrant: args.device_grant,
  firstParty: args.first_party,
  acrValues: args.default_acr_values,
  jwks: args.jwks,
});

const clientWithSecretShape = clientShape
  .extend({ client_secret: z.string().optional().describe('shown this once') })
  .meta({ id: 'ClientWithSecret' });

const withSecret = ({ client, secret }: { client: RegisteredClient; secret?: string }) => {
  const { client_id, ...rest } = clientJson(client);
  return { client_id, ...(secret && { client_secret: secret }), ...rest };
};

const listed = listing(
  /^cli_/,
  async (domain, page) => {
    const { clients: items, next } = await domain.clients.list(page);
    return { items, next };
  },
  clientShape,
  clientJson,
);

export const clients = {
  'client.add': operation(
    terms.extend({ name: text, type: z.enum(['web', 'spa', 'native', 'service']) }),
    clientWithSecretShape,
    async (domain, { name, type, ...args }) => withSecret(await domain.clients.add({ name, type, ...inDomain(args) })),
  ),
  'client.list': listed.list,
  'client.page': listed.page,
  'client.show': operation(one, clientShape, async (domain, { client_id }) =>
    clientJson(await domain.clients.registered(client_id)),
  ),
  'client.update': operation(
    terms.extend({ client_id: text, vouched: z.boolean().optional() }),
    clientWithSecretShape,
    async (domain, { client_id, name, vouched, ...args }, { asSeen }) => {
      const patch = { ...(name !== undefined && { name }), ...inDomain(args), vouched };
      return withSecret(await domain.clients.update(client_id, patch, { asSeen }));
    },
  ),
  'client.rotate-secret': operation(
    one.extend({ keep_old_for: z.number().optional().describe('seconds for which the old secret stays good') }),
    clientWithSecretShape,
    async (domain, { client_id, keep_old_for }, { asSeen }) =>
      withSecret(
        await domain.clients.rotateSecret(client_id, {
          keepOldFor: keep_old_for === undefined ? undefined : seconds(keep_old_for),
          asSeen,
        }),
      ),
  ),
  'client.remove': operation(one, one.extend({ removed: z.literal(true) }), async (domain, { client_id }) => {
    await domain.clients.remove(client_id);
    return { client_id, removed: true } as const;
  }),
};
