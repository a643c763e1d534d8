import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Domain, RegisteredClient } from '../domain/index.ts';
import { isUnrecorded } from './tokens.ts';

interface Asker {
  readonly clientId: string;
}

/** A token is told about to the client it was issued to, and to the API it is for: a service with that resource. */
export const mayLearnOf = (
  asker: RegisteredClient,
  { clientId, aud }: { readonly clientId?: string | undefined; readonly aud?: unknown },
): boolean => clientId === asker.id || (asker.type === 'service' && asker.resources.some((uri) => uri === aud));

export const mayIntrospect =
  ({ clients }: Domain) =>
  async (_ctx: unknown, { clientId }: Asker, token: object): Promise<boolean> => {
    const asker = await clients.get(clientId);
    return asker !== undefined && mayLearnOf(asker, token);
  };

/** Another client's token: the answer does not tell that it exists. What cannot be revoked is not called so (RFC 7009 §2.2). */
export async function mayRevoke(_ctx: unknown, client: Asker, token: object): Promise<boolean> {
  if ((token as { clientId?: string }).clientId !== client.clientId) return false;
  if (isUnrecorded(token))
    throw new errors.UnsupportedTokenType('tokens of this resource are not revocable: they end by themselves');
  return true;
}

/** Goes before the engine's own step: a machine's token has a subject there as well as in itself (RFC 9068 §2.2). */
export async function tellSubject(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  await next();
  const machine = ctx.oidc.entities.ClientCredentials;
  const told = ctx.body as { readonly active?: boolean };
  if (machine && told.active) ctx.body = { active: true, sub: machine.clientId, ...told };
}
