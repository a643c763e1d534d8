import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { Domain, RegisteredClient } from '../domain/index.ts';
import { staticScopesOf } from './scopes.ts';

/** Said of a client that anybody could register and nobody vouches for: that it proves itself tells nothing of who it is. */
export const STRANGER = 'stranger';

const isStranger = ({ registration }: RegisteredClient): boolean =>
  registration !== undefined && registration.initialToken === undefined && !registration.vouched;

/** What stands where the engine expects a secret: the real ones are kept as digests and compared by {@link compareSecrets}. */
const SECRET_ELSEWHERE = 'kept-as-a-digest';

/** A client's record as the engine's client metadata (RFC 7591 §2). No privilege in it is the client's own word. */
function toMetadata(client: RegisteredClient): AdapterPayload {
  const people = client.grantTypes.includes('authorization_code');
  return {
    client_id: client.id,
    client_name: client.name,
    ...(isStranger(client) && { [STRANGER]: true }),
    application_type: client.type === 'native' ? 'native' : 'web',
    redirect_uris: [...client.redirectUris],
    post_logout_redirect_uris: [...client.postLogoutRedirectUris],
    ...(client.backchannelLogout && {
      backchannel_logout_uri: client.backchannelLogout.uri,
      backchannel_logout_session_required: client.backchannelLogout.sessionRequired,
    }),
    grant_types: [...client.grantTypes],
    response_types: people ? ['code'] : [],
    token_endpoint_auth_method: client.tokenEndpointAuthMethod,
    ...(client.tokenEndpointAuthMethod === 'client_secret_basic' && { client_secret: SECRET_ELSEWHERE }),
    ...(client.jwks && { jwks: structuredClone(client.jwks) as { keys: never[] } }),
    ...(client.scopes.length > 0 && { scope: staticScopesOf(client).join(' ') }),
  };
}

/** The engine's view of the registered clients: it reads them and never changes them. */
export function clientAdapter({ clients }: Domain): Adapter {
  const readOnly = () => Promise.reject(new errors.InvalidRequest('clients are registered elsewhere'));
  return {
    async find(id) {
      const client = await clients.get(id);
      return client && toMetadata(client);
    },
    upsert: readOnly,
    findByUid: readOnly,
    findByUserCode: readOnly,
    consume: readOnly,
    destroy: readOnly,
    revokeByGrantId: readOnly,
  };
}

/** Compares a presented secret with the digests that are kept, in constant time. */
export const compareSecrets = ({ clients }: Domain) =>
  async function compareClientSecret(this: { readonly clientId: string }, presented: string): Promise<boolean> {
    const client = await clients.get(this.clientId);
    return client !== undefined && clients.verifySecret(client, presented);
  };

/**
 * Browser apps may call from the origins they return people to, and from nowhere else. An address with a scheme of an app's
 * own has none: its `null` is what every sandboxed page says it is.
 */
export const mayCallFrom = (
  origin: string,
  client: { readonly redirectUris?: readonly string[] | undefined },
): boolean => origin !== 'null' && (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin);
