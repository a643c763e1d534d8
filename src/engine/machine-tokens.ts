import type { ServerResponse } from 'node:http';
import type { Domain } from '../domain/index.ts';
import { ENDPOINTS, type Front, type FrontDesk, lookAtBody } from '../http/index.ts';
import { inSeconds, milliseconds, newSecret } from '../lib/index.ts';
import { signJwt } from './jwt.ts';
import { type MachineRequest, plainLength, readMachineRequest } from './machine-request.ts';
import type { ResourceServers } from './resources.ts';

interface Options {
  readonly domain: Domain;
  readonly servers: ResourceServers;
  readonly issuer: string;
  readonly desk: FrontDesk;
  /** Called for each token that was issued, with the grant type. */
  readonly onTokens: (grantType: string) => void;
}

interface Issued {
  readonly access_token: string;
  readonly expires_in: number;
  readonly scope?: string;
  readonly token_type: 'Bearer';
}

const GRANT = 'client_credentials';

/** What the engine says of itself with every token. */
const HEADERS = {
  Vary: 'Origin',
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'DPoP-Nonce,WWW-Authenticate',
  'Content-Type': 'application/json; charset=utf-8',
};

/**
 * The short way of a machine's token request: what machines ask for all day, granted without the engine. It answers only
 * what is granted; whatever is to be refused, is unusual, or fails goes the whole way and is told there. That both ways
 * answer the same test/flows/short-way.test.ts shows.
 */
export function machineTokens({ domain, servers, issuer, desk, onTokens }: Options): Front {
  const { clients, keys, resources } = domain;
  const endpoint = ENDPOINTS.find(({ path }) => path === '/token')!;
  const headers = desk.headers(endpoint, HEADERS);

  /** A client that proved itself and may have what it asks for; a token that needs no record. */
  async function grant({ clientId, secret, scopes, resource }: MachineRequest): Promise<Issued | undefined> {
    const client = await clients.get(clientId);
    if (!client?.grantTypes.includes(GRANT) || client.tokenEndpointAuthMethod !== 'client_secret_basic')
      return undefined;
    if (!clients.verifySecret(client, secret)) return undefined;
    const uri = resource ?? (await servers.defaultResource(undefined as never, { clientId }));
    // Refused by the engine, although registered: no URI, or one with a fragment (RFC 8707 §2).
    if (!URL.canParse(uri) || uri.includes('#')) return undefined;
    const server = await servers.serverFor(clientId, uri, true);
    const allowed = server.scope.split(' ');
    if (!scopes.every((scope) => allowed.includes(scope)) || (await resources.get(uri))?.revocable) return undefined;
    const iat = inSeconds(milliseconds(Date.now()));
    const expiresIn = server.accessTokenTTL as number;
    const scope = scopes.length > 0 ? { scope: scopes.join(' ') } : {};
    const token = await signJwt(keys, 'at+jwt', {
      jti: newSecret(),
      sub: clientId,
      iat,
      exp: iat + expiresIn,
      ...scope,
      client_id: clientId,
      iss: issuer,
      aud: uri,
    });
    return { access_token: token, expires_in: expiresIn, ...scope, token_type: 'Bearer' };
  }

  function send(res: ServerResponse, issued: Issued): void {
    onTokens(GRANT);
    const text = JSON.stringify(issued);
    res.writeHead(200, [...headers, 'Content-Length', String(text.length)]);
    res.end(text, 'latin1');
  }

  return (req, res, next) => {
    const length = plainLength(req);
    if (length === undefined) return next();
    const telling = desk.tell(req, res, endpoint);
    lookAtBody(req, length, (body) => {
      const asked = body && readMachineRequest(req.headers.authorization, body.toString('latin1'));
      const whole = () => {
        telling.leave();
        next();
      };
      if (!asked) return whole();
      // Whatever fails here fails the whole way too, which knows how to tell it.
      grant(asked).then(
        (issued) => {
          if (!issued) return whole();
          telling.client(asked.clientId);
          send(res, issued);
        },
        () => whole(),
      );
    });
  };
}
