import { z } from 'zod';
import {
  type KeyView,
  type OwnFactor,
  oldSecrets,
  type Person,
  type RegisteredClient,
  type RegisteredResource,
} from '../domain/index.ts';
import type { Registration } from '../store/index.ts';

/** ISO 8601 in UTC; null where there is no such moment. */
export const iso = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString());

/** Limits that only keep nonsense out; the rules are the domain's. */
export const text = z.string().max(4000);
export const texts = z.array(text).max(500);
export const signingAlg = z.enum(['RS256', 'PS256', 'ES256']);

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

export const keyJson = ({ kid, alg, state, createdAt, signsFrom, dropsAt }: KeyView) => ({
  kid,
  alg,
  state,
  created_at: iso(createdAt),
  signs_from: iso(signsFrom),
  drops_at: iso(dropsAt),
});
