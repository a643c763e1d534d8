import type { Domain } from '../domain/index.ts';
import { type ResourceServers, STATIC_SCOPES, signJwt } from '../engine/index.ts';
import { newSecret, numericDate } from '../lib/index.ts';
import type { Asked, Maker, ShortWay } from './way.ts';

interface Options {
  readonly domain: Pick<Domain, 'keys' | 'resources'>;
  readonly servers: Pick<ResourceServers, 'serverFor' | 'defaultFor'>;
  readonly issuer: string;
  /** Called for each token that was issued, with the grant type. */
  readonly onTokens: (grantType: string) => void;
}

const GRANT = 'client_credentials';

const isStatic = (scope: string): boolean => (STATIC_SCOPES as readonly string[]).includes(scope);

/** An object's JSON without its braces. */
const members = (of: object): string => JSON.stringify(of).slice(1, -1);

/** The short way of a machine's token (RFC 6749 §4.4): one that needs no record, for a client that may have what it asks for. */
export function machineTokens({ domain: { keys, resources }, servers, issuer, onTokens }: Options): ShortWay {
  async function answer({ client, form, grounds }: Asked): Promise<Maker | undefined> {
    if (!client.grantTypes.includes(GRANT)) return undefined;
    const scopes = [...new Set(form['scope']?.split(' '))];
    if (scopes.some((scope) => !scope || isStatic(scope))) return undefined;
    const clientId = client.id;
    const uri = form['resource'] ?? (await servers.defaultFor(clientId));
    await grounds.get('resources', uri);
    const server = await servers.serverFor(clientId, uri, true);
    const allowed = server.scope.split(' ');
    if (!scopes.every((scope) => allowed.includes(scope)) || (await resources.get(uri))?.revocable) return undefined;
    const { alg } = server;
    const expiresIn = server.accessTokenTTL as number;
    // JSON leaves out what is undefined.
    const scope = scopes.join(' ') || undefined;
    // As JSON.stringify would write them; all but a few are the same each time.
    const sub = JSON.stringify(clientId);
    const otherClaims = members({ scope, client_id: clientId, iss: issuer, aud: uri });
    const otherMembers = members({ expires_in: expiresIn, scope, token_type: 'Bearer' });
    return async () => {
      const [jti, iat] = [newSecret(), numericDate()];
      const claims = `{"jti":"${jti}","sub":${sub},"iat":${iat},"exp":${iat + expiresIn},${otherClaims}}`;
      const token = await signJwt(keys, 'at+jwt', claims, alg);
      onTokens(GRANT);
      return `{"access_token":"${token}",${otherMembers}}`;
    };
  }

  return { path: '/token', grantType: GRANT, lasts: true, parameters: ['scope', 'resource'], answer };
}
