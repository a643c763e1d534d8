import type { KoaContextWithOIDC } from 'oidc-provider';

/** `Basic base64(client_id:)`: who it is, and no proof. Nothing else matches, so all the rest is the engine's to refuse. */
const NAMED_ONLY = /^basic ([A-Za-z0-9+/]+={0,2})$/i;

const idIn = (authorization: string | undefined): string | undefined => {
  const [, encoded] = NAMED_ONLY.exec(authorization ?? '') ?? [];
  if (!encoded) return undefined;
  return /^([\w.~-]+):$/.exec(Buffer.from(encoded, 'base64').toString('utf8'))?.[1];
};

/**
 * A client without a secret may say so in the header as well: an empty secret may be left out (RFC 6749 §2.3.1), and
 * Swagger UI, so every FastAPI service, sends it like that. It is then what a `client_id` in the body is, an
 * identification; a client that has a secret is refused as one that gave none. See docs/decisions/0017.
 */
export async function namedWithoutSecret(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  const { headers } = ctx.req;
  const { authorization } = headers;
  const id = idIn(authorization);
  const params = ctx.oidc.params as Record<string, unknown> | undefined;
  if (id === undefined || !params || (params['client_id'] ?? id) !== id) return next();
  params['client_id'] = id;
  delete headers.authorization;
  try {
    await next();
  } finally {
    // A refusal of the header is told in one: WWW-Authenticate (RFC 6749 §5.2).
    if (authorization !== undefined) headers.authorization = authorization;
  }
}
