import type { ClientAuth } from 'openid-client';
import { library } from './library.ts';

/** How we prove who we are at a token endpoint: as it says it can, `client_secret_basic` where it says nothing (RFC 8414 §2). */
export async function clientAuthentication(secret: string | undefined): Promise<ClientAuth> {
  const oidc = await library();
  if (secret === undefined) return oidc.None();
  const [basic, post] = [oidc.ClientSecretBasic(secret), oidc.ClientSecretPost(secret)];
  return (server, ...request) => {
    const methods = server.token_endpoint_auth_methods_supported ?? [];
    const takesOnlyPost = methods.includes('client_secret_post') && !methods.includes('client_secret_basic');
    return (takesOnlyPost ? post : basic)(server, ...request);
  };
}
