/**
 * A machine's token, and a refresh that is on the disk before it is answered, by node:http and jose and nothing else: no seal,
 * no log, no limits, no errors told. What is left for a server to win is between this and the signatures alone.
 */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKeyPair, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { BARE } from '../bare-client.ts';
import { answer } from './answer.ts';
import { Journal } from './journal.ts';

const ISSUER = 'https://issuer.example.com';
const MINUTES = 60;

const digest = (text: string) => createHash('sha256').update(text).digest();

/** @param people who each get a refresh token @returns where it is served, and these tokens */
async function serve({ folder, people = 0 }: { folder?: string; people?: number }) {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { modulusLength: 2048 });
  const proof = digest(`${BARE.id}:${BARE.secret}`);
  const journal = folder === undefined ? undefined : new Journal(`${folder}/journal`);
  /** Whose each refresh token is that was not used yet. */
  const unused = new Map<string, { readonly sub: string }>();

  const sign = (typ: string, lives: number, claims: JWTPayload): Promise<string> =>
    new SignJWT({ iss: ISSUER, ...claims })
      .setProtectedHeader({ alg: 'RS256', typ, kid: 'bench' })
      .setIssuedAt()
      .setExpirationTime(`${lives}m`)
      .sign(privateKey);

  async function machine(scope: string): Promise<object> {
    const jwt = { sub: BARE.id, aud: BARE.resource, client_id: BARE.id, scope, jti: randomUUID() };
    return { access_token: await sign('at+jwt', 10, jwt), expires_in: 10 * MINUTES, token_type: 'Bearer', scope };
  }

  /** Access, ID and refresh token, and what is remembered of them. */
  async function tokens(sub: string, used?: string) {
    const [access, next] = [randomUUID(), randomUUID()];
    const person = { sub, email: `${sub}@example.com`, email_verified: true, name: 'Ada', auth_time: 1, sid: sub };
    const scope = 'openid profile email';
    const [access_token, id_token, refresh_token] = await Promise.all([
      sign('at+jwt', 15, { sub, aud: `${ISSUER}/api`, client_id: BARE.id, scope, jti: access, auth_time: 1 }),
      sign('JWT', 15, { ...person, aud: BARE.id }),
      sign('rt+jwt', 7 * 24 * 60, { aud: ISSUER, client_id: BARE.id, jti: next }),
    ]);
    const told = { access_token, expires_in: 15 * MINUTES, id_token, refresh_token, scope, token_type: 'Bearer' };
    unused.set(next, { sub });
    const row = { sub, client: BARE.id, scope, grant: sub, session: sub, at: Date.now() };
    return {
      told,
      rows: [
        { ...row, used },
        { ...row, access },
        { ...row, next },
      ],
    };
  }

  async function refresh(token: string): Promise<object> {
    const { jti = '' } = (await jwtVerify(token, publicKey, { issuer: ISSUER, audience: ISSUER, typ: 'rt+jwt' }))
      .payload;
    const known = unused.get(jti);
    if (!known) throw new Error('not what the bench asks');
    unused.delete(jti);
    const { told, rows } = await tokens(known.sub, jti);
    await journal?.append(`${JSON.stringify(rows)}\n`);
    return told;
  }

  async function grant(authorization: string, form: URLSearchParams): Promise<object> {
    const given = Buffer.from(authorization.slice('Basic '.length), 'base64').toString();
    if (!timingSafeEqual(digest(given), proof)) throw new Error('not what the bench asks');
    const token = form.get('refresh_token');
    return token === null ? machine(form.get('scope') ?? BARE.scope) : refresh(token);
  }

  const server = createServer((req, res) => {
    let body = '';
    req.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    req.on('end', async () => {
      const answered = JSON.stringify(await grant(req.headers.authorization ?? '', new URLSearchParams(body)));
      res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(answered) });
      res.end(answered);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const signedIn = await Promise.all(Array.from({ length: people }, (_, i) => tokens(`person-${i}`)));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tokens: signedIn.map(({ told }) => told.refresh_token),
  };
}

answer({ serve });
