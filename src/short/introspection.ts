import type { Domain } from '../domain/index.ts';
import { mayLearnOf, type OpenArtifact, readOwnJwt } from '../engine/index.ts';
import { type Clock, sha256 } from '../lib/index.ts';
import type { Grounds } from './grounds.ts';
import { openOnce } from './opened.ts';
import { standing, type Token } from './standing.ts';
import type { Asked, ShortWay } from './way.ts';

interface Options {
  readonly domain: Pick<Domain, 'clients' | 'keys'>;
  readonly open: OpenArtifact;
  readonly issuer: string;
  readonly now: Clock;
}

/**
 * The short way of a token that is live and asked about by whom it concerns (RFC 7662 §2). Everything that can end it is
 * read each time, where the engine reads it: the token's record, its grant, its session, its client.
 */
export function introspection({ domain, open: unseal, issuer, now }: Options): ShortWay {
  const { clients, keys } = domain;
  const open = openOnce(unseal);

  async function accessToken(text: string, grounds: Grounds): Promise<Token | undefined> {
    const claims = readOwnJwt(keys, issuer, 'at+jwt', text);
    if (!claims) return undefined;
    const row = await grounds.get('access_tokens', sha256(claims.jti));
    const recorded = row && open('access_tokens', row);
    if (recorded?.kind === 'AccessToken') return recorded;
    const { jti, iat, exp, aud, scope, sub, client_id: clientId, cnf } = claims;
    if (typeof aud !== 'string' || sub === undefined || sub !== clientId) return undefined;
    if (recorded || claims['revocable']) return recorded;
    const { jkt } = (cnf ?? {}) as { jkt?: string };
    return { kind: 'ClientCredentials', jti, iat, exp, aud, scope, clientId, jkt } as Token;
  }

  async function refreshToken(text: string, grounds: Grounds): Promise<Token | undefined> {
    const claims = readOwnJwt(keys, issuer, 'rt+jwt', text);
    const row = claims && (await grounds.get('refresh_tokens', sha256(claims.jti)));
    return row && !row.record.consumedAt ? open('refresh_tokens', row) : undefined;
  }

  async function answer({ client, form, grounds }: Asked): Promise<object | undefined> {
    const { isLive, grantOf, sessionStands } = standing(grounds, open, now);
    const text = form['token'] ?? '';
    const token = (await accessToken(text, grounds)) ?? (await refreshToken(text, grounds));
    if (!token || !isLive(token) || !mayLearnOf(client, token)) return undefined;
    const { clientId = '', kind, jkt } = token;
    // Nothing of ours has these; who adds them has to say here how they are told.
    if (token['x5t#S256'] || token['rar']) return undefined;
    if (clientId !== client.id && !(await grounds.get('clients', clientId)) && !(await clients.get(clientId)))
      return undefined;
    if (token.grantId && !(await grantOf(token))) return undefined;
    if (!(await sessionStands(token))) return undefined;
    return {
      active: true,
      sub: kind === 'ClientCredentials' ? clientId : token.accountId,
      ...(token.extra as object | undefined),
      client_id: clientId,
      exp: token.exp,
      iat: token.iat,
      sid: token.sid,
      iss: issuer,
      jti: token.jti,
      aud: token.aud,
      scope: token.scope || undefined,
      cnf: jkt ? { jkt } : undefined,
      token_type: kind === 'RefreshToken' ? undefined : jkt ? 'DPoP' : 'Bearer',
    };
  }

  return { path: '/introspect', lasts: true, parameters: ['token', 'token_type_hint'], answer };
}
