import { errors, type KoaContextWithOIDC } from 'oidc-provider';

/** Credentials as clients have them (RFC 7617 §2); whether they are good is the engine's to say. */
function isBasic(authorization: string): boolean {
  const [, encoded = ''] = /^basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? [];
  return Buffer.from(encoded, 'base64').includes(':');
}

function faultIn({ req, oidc }: KoaContextWithOIDC): string | undefined {
  const { authorization } = req.headers;
  const { client_id, client_secret, client_assertion } = (oidc.params ?? {}) as Record<string, unknown>;
  if (client_secret !== undefined || client_assertion !== undefined) return undefined;
  if (authorization !== undefined)
    return isBasic(authorization) ? undefined : 'the Authorization header holds no Basic credentials';
  return client_id === undefined ? 'no client authentication was included' : undefined;
}

/**
 * Goes before the engine's own step. Who does not say which client asks, or says it by a scheme that no client has, has not
 * authenticated: 401 `invalid_client` (RFC 6749 §5.2). The engine calls that a malformed request, 400.
 */
export function requireProof(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  const fault = faultIn(ctx);
  if (fault === undefined) return next();
  throw Object.assign(new errors.InvalidClientAuth(fault), { error_description: fault });
}
