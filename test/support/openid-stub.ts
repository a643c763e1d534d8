import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { answering } from './answering.ts';

/** What one of its addresses answers: a value as JSON, or whatever the function does. */
type Answers = (request: IncomingMessage, response: ServerResponse, body: URLSearchParams) => unknown;

/** An OpenID Connect provider that says whatever a test wants it to. */
export interface OpenIdStub extends AsyncDisposable {
  readonly issuer: string;
  /** By path; replace one and it answers otherwise. */
  readonly answers: Record<string, Answers>;
  /** Requests so far, by path. */
  readonly asked: Record<string, number>;
  /** An ID token with the claims every one has; `undefined` leaves one out. */
  idToken(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  /** From now on the token endpoint answers with this ID token. */
  says(claims: Record<string, unknown>, header?: Record<string, unknown>): void;
}

export const CLIENT_ID = 'postern-at-stub';

/** The subject every ID token has unless the test says otherwise. */
export const SUBJECT = 'stub|248289761001';

/** Made once: making one is slow, and every stub may have the same. */
const pair = generateKeyPair('RS256');

export async function startOpenIdStub(): Promise<OpenIdStub> {
  const { privateKey, publicKey } = await pair;
  const jwk = { ...(await exportJWK(publicKey)), kid: 'stub', alg: 'RS256', use: 'sig' };
  const asked: Record<string, number> = {};

  const server = createServer(
    answering(async (request, response) => {
      let text = '';
      for await (const chunk of request) text += chunk;
      const path = new URL(request.url ?? '/', issuer).pathname;
      asked[path] = (asked[path] ?? 0) + 1;
      const answer = answers[path];
      if (!answer) return void response.writeHead(404).end();
      const value = await answer(request, response, new URLSearchParams(text));
      if (response.headersSent || value === undefined) return;
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const idToken: OpenIdStub['idToken'] = (claims, header = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const whole = { iss: issuer, aud: CLIENT_ID, sub: SUBJECT, iat: now, exp: now + 60, ...claims };
    return new SignJWT(JSON.parse(JSON.stringify(whole)) as JWTPayload)
      .setProtectedHeader({ alg: 'RS256', kid: 'stub', ...header })
      .sign(privateKey);
  };
  const says: OpenIdStub['says'] = (claims, header) => {
    answers['/token'] = async () => ({
      access_token: 'opaque',
      token_type: 'Bearer',
      id_token: await idToken(claims, header),
    });
  };

  const answers: Record<string, Answers> = {
    '/.well-known/openid-configuration': () => ({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    }),
    '/jwks': () => ({ keys: [jwk] }),
  };
  says({});

  return {
    issuer,
    answers,
    asked,
    idToken,
    says,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
