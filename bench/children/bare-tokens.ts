/**
 * A machine's token by node:http and jose, and nothing else: no store, no log, no limits, no errors told. What is left for a
 * server to win is between this and the signature alone.
 */
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKeyPair, SignJWT } from 'jose';
import { BARE } from '../bare-client.ts';
import { answer } from './answer.ts';

const digest = (text: string) => createHash('sha256').update(text).digest();

async function serve(): Promise<string> {
  const { privateKey } = await generateKeyPair('RS256', { modulusLength: 2048 });
  const proof = digest(`${BARE.id}:${BARE.secret}`);

  async function token(authorization: string, form: URLSearchParams): Promise<object> {
    const given = Buffer.from(authorization.slice('Basic '.length), 'base64').toString();
    if (!timingSafeEqual(digest(given), proof) || form.get('grant_type') !== 'client_credentials')
      throw new Error('not what the bench asks');
    const jwt = new SignJWT({ client_id: BARE.id, scope: form.get('scope') ?? BARE.scope, jti: randomUUID() })
      .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: 'bench' })
      .setIssuer('https://issuer.example.com')
      .setSubject(BARE.id)
      .setAudience(BARE.resource)
      .setIssuedAt()
      .setExpirationTime('10m');
    return { access_token: await jwt.sign(privateKey), expires_in: 600, token_type: 'Bearer', scope: BARE.scope };
  }

  const server = createServer((req, res) => {
    let body = '';
    req.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    req.on('end', async () => {
      const answered = JSON.stringify(await token(req.headers.authorization ?? '', new URLSearchParams(body)));
      res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(answered) });
      res.end(answered);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

answer({ serve });
