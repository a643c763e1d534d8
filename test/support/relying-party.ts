import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { answering } from './answering.ts';

/** An application's server, as far as it is told of sign-outs. */
export interface RelyingParty extends AsyncDisposable {
  readonly uri: string;
  /** What it answers with from now on; 0: nothing at all, the line is kept open. */
  status: number;
  /** Logout tokens it was posted, whatever it answered. */
  readonly told: string[];
}

export async function startRelyingParty(): Promise<RelyingParty> {
  const server = createServer(
    answering(async (request, response) => {
      let text = '';
      for await (const chunk of request) text += chunk;
      party.told.push(new URLSearchParams(text).get('logout_token') ?? '');
      if (party.status) response.writeHead(party.status, { 'cache-control': 'no-store' }).end();
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const party: RelyingParty = {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/backchannel-logout?app=1`,
    status: 200,
    told: [],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return party;
}

/** A logout token as a library validates it, with the published keys (OIDC Back-Channel Logout 1.0 §2.6). */
export async function readLogoutToken(issuer: string, clientId: string, token: string): Promise<JWTPayload> {
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));
  const { payload } = await jwtVerify(token, keys, {
    issuer,
    audience: clientId,
    typ: 'logout+jwt',
    algorithms: ['RS256'],
    requiredClaims: ['iss', 'aud', 'iat', 'exp', 'jti', 'events', 'sub', 'sid'],
  });
  return payload;
}
