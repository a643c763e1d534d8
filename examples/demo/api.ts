/** A sample API: an ordinary resource server that knows Postern by its issuer alone and checks tokens itself. */
import { createServer, type Server } from 'node:http';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';

const FILES = ['holiday.jpg', 'recipe.txt', 'tax-2026.pdf'];

interface Options {
  readonly issuer: string;
  /** This API's name in tokens: their `aud`. */
  readonly audience: string;
}

/** What each route needs: the scope, and what it answers (RFC 6750 §3). */
const ROUTES: Readonly<Record<string, { scope: string; answer: (claims: JWTPayload) => object }>> = {
  'GET /files': { scope: 'files.read', answer: ({ sub }) => ({ owner: sub, files: FILES }) },
  'POST /files': { scope: 'files.write', answer: ({ sub }) => ({ owner: sub, added: true }) },
};

export function createApi({ issuer, audience }: Options): Server {
  // Fetched once, kept, and fetched again when a token names a key that is not in it: keys may rotate at any time.
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', issuer));

  return createServer(async (req, res) => {
    const answer = (status: number, body: object, challenge?: string) => {
      res.writeHead(status, {
        'Content-Type': 'application/json',
        ...(challenge && { 'WWW-Authenticate': challenge }),
      });
      res.end(JSON.stringify(body));
    };
    const route = ROUTES[`${req.method} ${req.url?.split('?')[0]}`];
    if (!route) return answer(404, { error: 'not_found' });

    const token = /^Bearer (.+)$/i.exec(req.headers.authorization ?? '')?.[1];
    if (!token) return answer(401, { error: 'no token' }, 'Bearer');
    try {
      const { payload } = await jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt', algorithms: ['RS256'] });
      const scopes = String(payload['scope'] ?? '').split(' ');
      if (scopes.includes(route.scope)) return answer(200, route.answer(payload));
      answer(
        403,
        { error: 'insufficient_scope', needed: route.scope },
        `Bearer error="insufficient_scope", scope="${route.scope}"`,
      );
    } catch (error) {
      answer(401, { error: 'invalid_token', reason: (error as Error).message }, 'Bearer error="invalid_token"');
    }
  });
}
