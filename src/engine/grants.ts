import type { Grant, KoaContextWithOIDC, Provider } from 'oidc-provider';
import { type Domain, sidOf } from '../domain/index.ts';
import type { Consent } from '../store/index.ts';
import { STATIC_SCOPES, splitScope } from './scopes.ts';

/** What one authorization request asks for, split by whom it is asked of. */
export interface Asked {
  /** Scopes of OpenID Connect. */
  readonly scopes: readonly string[];
  /** Scopes by resource URI; OpenID Connect's among them, since they open /userinfo to the same token. */
  readonly resources: Readonly<Record<string, readonly string[]>>;
}

/** Splits a request's scopes over OpenID Connect and its resource servers. */
export function askedOf(scope: string | undefined, servers: Readonly<Record<string, { scope: string }>>): Asked {
  const words = splitScope(scope);
  const within = (known: readonly string[]) => words.filter((word) => known.includes(word));
  return {
    scopes: within(STATIC_SCOPES),
    resources: Object.fromEntries(
      Object.entries(servers).map(([uri, server]) => [uri, within(splitScope(server.scope))]),
    ),
  };
}

/** Whether everything asked was allowed before. */
export const covers = (
  consent: Pick<Consent, 'scopes' | 'resources'> | undefined,
  { scopes, resources }: Asked,
): boolean =>
  consent !== undefined &&
  scopes.every((scope) => consent.scopes.includes(scope)) &&
  Object.entries(resources).every(([uri, words]) => words.every((word) => consent.resources[uri]?.includes(word)));

/** Adds to a grant what was allowed of what is asked. */
export function fill(grant: Grant, { scopes, resources }: Asked): Grant {
  if (scopes.length) grant.addOIDCScope(scopes.join(' '));
  for (const [uri, words] of Object.entries(resources)) if (words.length) grant.addResourceScope(uri, words.join(' '));
  return grant;
}

/** What of the request the person need not be asked: all of it for the operator's own applications, else what was allowed before. */
async function allowedOf(
  { clients, consents }: Domain,
  asked: Asked,
  accountId: string,
  clientId: string,
): Promise<Asked> {
  if ((await clients.get(clientId))?.firstParty) return asked;
  const consent = await consents.find(accountId, clientId);
  const kept = (words: readonly string[], allowed: readonly string[] = []) =>
    words.filter((word) => allowed.includes(word));
  return {
    scopes: kept(asked.scopes, consent?.scopes),
    resources: Object.fromEntries(
      Object.entries(asked.resources).map(([uri, words]) => [uri, kept(words, consent?.resources[uri])]),
    ),
  };
}

/**
 * The grant of this browser session and client: the one it has, or a new one made from what the person remembers to have
 * allowed. Each session has grants of its own, so that ending one sign-in ends no other.
 */
export const existingGrant =
  (domain: Domain) =>
  async (ctx: KoaContextWithOIDC): Promise<Grant | undefined> => {
    const { client, session, result, params } = ctx.oidc;
    const accountId = session?.accountId;
    if (!client || !session || !accountId) return undefined;
    const { Grant: GrantModel } = ctx.oidc.provider as Provider;
    const known = session.grantIdFor(client.clientId);
    const found = known ? await GrantModel.find(known) : undefined;
    const mine = found?.accountId === accountId && found.clientId === client.clientId ? found : undefined;
    const asked = askedOf(params?.['scope'] as string | undefined, ctx.oidc.resourceServers ?? {});
    const allowed = await allowedOf(domain, asked, accountId, client.clientId);
    if (!mine && ![allowed.scopes, ...Object.values(allowed.resources)].some((words) => words.length)) return undefined;
    const grant = fill(mine ?? new GrantModel({ accountId, clientId: client.clientId }), allowed);
    // Its lifetime starts anew with each authorization, so that it outlives the tokens of this one: the engine would keep
    // what it once had.
    Object.assign(grant, { exp: undefined });
    // The engine sets this and never takes it back.
    if (result?.login?.remember) Object.assign(session, { transient: undefined });
    await grant.save();
    session.sidFor(client.clientId, sidOf(grant.jti));
    return grant;
  };
