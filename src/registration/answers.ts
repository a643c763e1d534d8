import type { RegisteredClient } from '../domain/index.ts';
import { inSeconds } from '../lib/index.ts';

interface Shown {
  readonly issuer: string;
  readonly client: RegisteredClient;
  /** The registration access token, which only whoever presents it still has. */
  readonly token: string;
  /** Only where it was just made: kept is its digest. */
  readonly secret?: string | undefined;
}

/** Everything that is registered, as it stands (RFC 7591 §3.2.1). */
export function clientInformation({ issuer, client, token, secret }: Shown) {
  const { id, registration, tokenEndpointAuthMethod: method, backchannelLogout, jwks } = client;
  const hasSecret = method === 'client_secret_basic';
  return {
    client_id: id,
    client_id_issued_at: inSeconds(client.createdAt),
    ...(secret !== undefined && { client_secret: secret }),
    ...(hasSecret && { client_secret_expires_at: 0 }),
    registration_access_token: token,
    registration_client_uri: `${issuer}/register/${id}`,
    client_name: client.name,
    application_type: client.type === 'native' ? 'native' : 'web',
    redirect_uris: client.redirectUris,
    ...(client.postLogoutRedirectUris.length > 0 && { post_logout_redirect_uris: client.postLogoutRedirectUris }),
    ...(backchannelLogout && {
      backchannel_logout_uri: backchannelLogout.uri,
      backchannel_logout_session_required: backchannelLogout.sessionRequired,
    }),
    grant_types: client.grantTypes,
    response_types: client.grantTypes.includes('authorization_code') ? ['code'] : [],
    token_endpoint_auth_method: (hasSecret && registration?.method) || method,
    ...(jwks && { jwks }),
    // None is all there are.
    ...(client.scopes.length > 0 && { scope: client.scopes.join(' ') }),
    ...(registration?.softwareId !== undefined && { software_id: registration.softwareId }),
    ...(registration?.softwareVersion !== undefined && { software_version: registration.softwareVersion }),
    subject_type: 'public',
    id_token_signed_response_alg: 'RS256',
  };
}
