import { z } from 'zod';
import {
  type KeyView,
  type OwnFactor,
  oldSecrets,
  type Person,
  type RegisteredClient,
  type RegisteredResource,
} from '../domain/index.ts';
import { iso } from '../lib/index.ts';
import type { Registration } from '../store/index.ts';

/** Limits that only keep nonsense out; the rules are the domain's. */
export const text = z.string().max(4000);
export const texts = z.array(text).max(500);
export const signingAlg = z.enum(['RS256', 'PS256', 'ES256']);

/** As `iso` writes it. */
export const moment = z.iso.datetime();

export const userShape = z
  .strictObject({
    id: z.string(),
    email: z.string(),
    email_verified: z.boolean(),
    name: z.string().nullable(),
    admin: z.boolean(),
    disabled: z.boolean(),
    has_password: z.boolean(),
    created_at: moment.nullable(),
  })
  .meta({ id: 'User' });

/** A person as operators see one; never anything of the password but whether there is one. */
export const userJson = ({ id, email, emailVerified, name, admin, disabled, passwordHash, createdAt }: Person) => ({
  id,
  email,
  email_verified: emailVerified,
  name: name ?? null,
  admin,
  disabled,
  has_password: passwordHash !== undefined,
  created_at: iso(createdAt),
});

export const factorShape = z
  .strictObject({
    id: z.string(),
    kind: z.string(),
    name: z.string().nullable(),
    codes_left: z.int().optional(),
    synced: z.boolean().optional(),
    created_at: moment.nullable(),
    last_used_at: moment.nullable(),
  })
  .meta({ id: 'Factor' });

/** What a person proves themselves with, as operators see it; never anything of its secret. */
export const factorJson = ({ id, kind, name, digests, passkey, createdAt, lastUsedAt }: OwnFactor) => ({
  id,
  kind,
  name: name ?? null,
  ...(digests && { codes_left: digests.length }),
  ...(passkey && { synced: passkey.synced }),
  created_at: iso(createdAt),
  last_used_at: iso(lastUsedAt),
});

/** How an application came that registered itself; never anything of its token. */
const registrationJson = ({ initialToken, vouched, softwareId, softwareVersion }: Registration) => ({
  registered_with: initialToken ?? null,
  vouched: vouched === true,
  ...(softwareId !== undefined && { software_id: softwareId }),
  ...(softwareVersion !== undefined && { software_version: softwareVersion }),
});

export const clientShape = z
  .strictObject({
    client_id: z.string(),
    client_name: z.string().optional(),
    type: z.enum(['web', 'spa', 'native', 'service']),
    redirect_uris: z.array(z.string()),
    post_logout_redirect_uris: z.array(z.string()),
    backchannel_logout_uri: z.string().optional(),
    backchannel_logout_session_required: z.boolean().optional(),
    grant_types: z.array(z.string()),
    token_endpoint_auth_method: z.string(),
    old_secret_until: moment.optional().describe('until when the secret before the newest is good'),
    older_secrets_until: z.array(moment.nullable()).optional(),
    scopes: z.array(z.string()),
    resources: z.array(z.string()),
    first_party: z.boolean(),
    default_acr_values: z.array(z.string()).optional(),
    jwks: z.unknown().optional(),
    registered_itself: z.boolean(),
    registered_with: z.string().nullable().optional(),
    vouched: z.boolean().optional(),
    software_id: z.string().optional(),
    software_version: z.string().optional(),
    created_at: moment.nullable(),
    updated_at: moment.nullable(),
  })
  .meta({ id: 'Client' });

/** Client metadata by its registered names (RFC 7591 §2) where there is one. */
export const clientJson = (client: RegisteredClient) => ({
  client_id: client.id,
  client_name: client.name,
  type: client.type,
  redirect_uris: client.redirectUris,
  post_logout_redirect_uris: client.postLogoutRedirectUris,
  ...(client.backchannelLogout && {
    backchannel_logout_uri: client.backchannelLogout.uri,
    backchannel_logout_session_required: client.backchannelLogout.sessionRequired,
  }),
  grant_types: client.grantTypes,
  token_endpoint_auth_method: client.tokenEndpointAuthMethod,
  ...oldSecretsJson(client),
  scopes: client.scopes,
  resources: client.resources,
  first_party: client.firstParty,
  ...(client.acrValues && { default_acr_values: client.acrValues }),
  ...(client.jwks && { jwks: client.jwks }),
  registered_itself: client.registration !== undefined,
  ...(client.registration && registrationJson(client.registration)),
  created_at: iso(client.createdAt),
  updated_at: iso(client.updatedAt),
});

/** Until when the secret before the newest is good, and those before that one. */
function oldSecretsJson(client: RegisteredClient) {
  const [last, ...older] = oldSecrets(client).map(({ until }) => iso(until));
  return {
    ...(last && { old_secret_until: last }),
    ...(older.length > 0 && { older_secrets_until: older }),
  };
}

export const resourceShape = z
  .strictObject({
    uri: z.string(),
    name: z.string().nullable(),
    scopes: z.array(z.string()),
    ttl: z.number().nullable().describe('seconds a token lives; null: as the setting tokens.access says'),
    revocable: z.boolean(),
    alg: signingAlg,
    created_at: moment.nullable(),
  })
  .meta({ id: 'Resource' });

/** `ttl` in seconds; null where the setting `tokens.access` holds. */
export const resourceJson = ({ uri, name, scopes, ttl, revocable, alg, createdAt }: RegisteredResource) => ({
  uri,
  name: name ?? null,
  scopes,
  ttl: ttl === undefined ? null : ttl / 1000,
  revocable,
  alg: alg ?? 'RS256',
  created_at: iso(createdAt),
});

export const keyShape = z
  .strictObject({
    kid: z.string(),
    alg: signingAlg,
    state: z.string(),
    created_at: moment.nullable(),
    signs_from: moment.nullable(),
    drops_at: moment.nullable(),
  })
  .meta({ id: 'Key' });

export const keyJson = ({ kid, alg, state, createdAt, signsFrom, dropsAt }: KeyView) => ({
  kid,
  alg,
  state,
  created_at: iso(createdAt),
  signs_from: iso(signsFrom),
  drops_at: iso(dropsAt),
});
