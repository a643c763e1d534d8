import type { Configuration } from 'openid-client';
import { clientAuthentication } from './client-authentication.ts';
import { UpstreamFailure } from './failure.ts';
import type { Kind, Provider } from './kind.ts';
import { library } from './library.ts';

/** What differs from one OAuth provider without OpenID Connect to the next. */
interface Differences extends Pick<Kind, 'name' | 'place' | 'issuerFrom' | 'scopes' | 'wishes' | 'claims'> {
  readonly endpoints: (issuer: string) => {
    readonly authorization: string;
    readonly token: string;
    /** What its answers call it (`iss`, RFC 9207 §2), where that is not what it is registered as. */
    readonly identifier?: string;
  };
}

/** A provider that speaks OAuth 2 alone: no discovery, no ID token, who it is says an API of its own. */
export function oauth({ endpoints, ...row }: Differences): Kind {
  return {
    ...row,
    provesFreshness: false,
    usesNonce: false,

    async configure({ issuer, clientId, clientSecret }: Provider, options) {
      const oidc = await library();
      const { authorization, token, identifier = issuer } = endpoints(issuer);
      const config = new oidc.Configuration(
        {
          issuer: identifier,
          authorization_endpoint: authorization,
          token_endpoint: token,
          token_endpoint_auth_methods_supported: ['client_secret_post'],
        },
        clientId,
        undefined,
        await clientAuthentication(clientSecret),
      );
      for (const extend of options.execute ?? []) extend(config);
      const fetch = options[oidc.customFetch];
      if (fetch) config[oidc.customFetch] = fetch;
      return config;
    },
  };
}

/** Asks an API in the name of whoever signed in. @throws UpstreamFailure */
export async function ask(
  config: Configuration,
  token: string,
  url: URL,
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const { fetchProtectedResource } = await library();
  const response = await fetchProtectedResource(config, token, url, 'GET', null, new Headers(headers));
  if (response.status !== 200)
    throw new UpstreamFailure('unavailable', `${url.origin}${url.pathname} answered ${response.status}`);
  try {
    return await response.json();
  } catch (cause) {
    throw new UpstreamFailure('untrusted', `${url.origin}${url.pathname} answered something else than JSON`, { cause });
  }
}
