import { errors, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import type { Settings } from '../config/index.ts';
import type { Domain, RegisteredClient, SigningAlgorithm } from '../domain/index.ts';
import { inSeconds } from '../lib/index.ts';
import { splitScope, staticScopesOf } from './scopes.ts';

interface Options {
  readonly domain: Pick<Domain, 'clients' | 'resources'>;
  readonly settings: Pick<Settings, 'audience' | 'issuer' | 'tokens'>;
}

/** The `aud` of tokens asked for without a resource. */
const audienceOf = ({ audience, issuer }: Pick<Settings, 'audience' | 'issuer'>): string => audience ?? `${issuer}/api`;

type Ctx = KoaContextWithOIDC;

/** Which API a token is for and what it may do there (RFC 8707): from the operator's records alone. */
export function resourceServers({ domain, settings }: Options) {
  const { clients, resources } = domain;
  const audience = audienceOf(settings);

  async function clientOf(id: string): Promise<RegisteredClient> {
    const client = await clients.get(id);
    if (!client) throw new errors.InvalidClient('client not found');
    return client;
  }

  /** Scopes of the resource that this client may ask for. */
  const allowed = (client: RegisteredClient, scopes: readonly string[]): string[] =>
    client.scopes.length ? scopes.filter((scope) => client.scopes.includes(scope)) : [...scopes];

  /** A program that names a scope it cannot have is told so; a person's request narrows it (OIDC Core §3.1.2.1). */
  function refuseUnknownScopes(ctx: Ctx, uri: string, known: readonly string[], defined: readonly string[]): void {
    const { params, route } = ctx.oidc;
    const asked = splitScope(params?.['scope'] as string | undefined);
    const machine = route === 'token' && ['client_credentials', 'password'].includes(String(params?.['grant_type']));
    const refused = asked.find((scope) => !known.includes(scope) && (machine || defined.includes(scope)));
    if (!refused) return;
    const why = defined.includes(refused)
      ? `the client was not given ${refused}`
      : `${uri} defines ${defined.length ? defined.join(' ') : 'no scopes'}`;
    throw Object.assign(new errors.InvalidScope('the client may not ask for this scope', refused), {
      error_detail: why,
    });
  }

  /**
   * A resource as one client may use it.
   * @throws InvalidTarget where the resource is unknown or not this client's (RFC 8707 §2).
   */
  async function serverFor(
    clientId: string,
    uri: string,
    machine = false,
  ): Promise<ResourceServer & { defined: readonly string[]; alg: SigningAlgorithm }> {
    const client = await clientOf(clientId);
    const resource = await resources.get(uri);
    if (!resource && uri !== audience) throw new errors.InvalidTarget(`the resource ${uri} is not registered`);
    if (uri !== audience && !client.resources.includes(uri)) {
      throw new errors.InvalidTarget(`the client may not ask for tokens of the resource ${uri}`);
    }
    const { scopes: defined = [], alg = 'RS256' } = resource ?? {};
    return {
      audience: uri,
      scope: [...(machine ? [] : staticScopesOf(client)), ...allowed(client, defined)].join(' '),
      accessTokenFormat: 'jwt',
      accessTokenTTL: inSeconds(resource?.ttl ?? settings.tokens.access),
      jwt: { sign: { alg } },
      defined,
      alg,
    };
  }

  /**
   * What a sign-in goes on for, where the token request itself names nothing: of an API that its application lost meanwhile
   * it is over, as an application that knows only `invalid_grant` has to be told (RFC 6749 §5.2).
   */
  function overWithout({ oidc: { params, route } }: Ctx, error: unknown): unknown {
    const lost = error instanceof errors.InvalidTarget && route === 'token' && params?.['resource'] === undefined;
    return lost ? new errors.InvalidGrant(error.error_description ?? error.message) : error;
  }

  /** The resource where none was asked for: the client's first, else the default audience. */
  const defaultFor = async (clientId: string): Promise<string> => (await clientOf(clientId)).resources[0] ?? audience;

  return {
    serverFor,

    async getResourceServerInfo(ctx: Ctx, uri: string, { clientId }: { clientId: string }): Promise<ResourceServer> {
      const machine = ctx.oidc.params?.['grant_type'] === 'client_credentials';
      const {
        defined,
        alg: _,
        ...server
      } = await serverFor(clientId, uri, machine).catch((error: unknown) => {
        throw overWithout(ctx, error);
      });
      refuseUnknownScopes(ctx, uri, splitScope(server.scope), defined);
      return server;
    },

    defaultFor,

    /**
     * The same for the engine: of several that a sign-in may go on for, the first.
     * @throws InvalidTarget where the token request itself names several, since a token has one audience
     */
    async defaultResource(
      { oidc: { params, route } }: Ctx,
      { clientId }: { clientId: string },
      oneOf?: readonly string[],
    ): Promise<string> {
      const named = new Set([params?.['resource'] ?? []].flat());
      if (route === 'token' && named.size > 1) throw new errors.InvalidTarget('a token is for one resource: name one');
      return oneOf?.[0] ?? defaultFor(clientId);
    },
  };
}

export type ResourceServers = ReturnType<typeof resourceServers>;
