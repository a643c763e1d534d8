import { generateKeyPair, sign } from 'node:crypto';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import type { Domain, PublishedKey, RegisteredClient } from '../domain/index.ts';
import { createFrontDesk, type Front, inFront, type Listening, listen, type Tell } from '../http/index.ts';
import { type Duration, newSecret, returnMemory, sameText, seconds } from '../lib/index.ts';
import { inShort } from './front.ts';
import type { Reader } from './grounds.ts';
import { machineTokens } from './machine-tokens.ts';

interface Options {
  readonly issuer: string;
  /** Hears of every answer, as it does of real ones. */
  readonly tell: Tell;
  readonly requests?: number;
  /** It is given up then: a slow machine must not wait for speed. */
  readonly within?: Duration;
}

const CONNECTIONS = 8;

/**
 * Has V8 compile what machines ask for all day before anybody asks: token requests, by the same functions and over real
 * connections, to a server of its own on a port nobody knows. Its one client exists nowhere else, and what it is given is
 * signed with a key that is thrown away.
 * @returns how many requests were answered
 */
export async function warmUp({ issuer, tell, requests = 2000, within = seconds(2) }: Options): Promise<number> {
  const { front, authorization } = await rehearsal(issuer, tell);
  const handler = inFront([front], (_req, res) => void res.writeHead(500).end());
  const listening = await listen({ handler, host: '127.0.0.1', port: 0, linger: 0 });
  const body = 'grant_type=client_credentials&scope=warm';
  const request = [
    'POST /token HTTP/1.1',
    'Host: localhost',
    `Authorization: ${authorization}`,
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
  try {
    const until = performance.now() + within;
    const goOn = () => performance.now() < until;
    const answered = await ask(listening, request, requests, goOn);
    // What starting and warming up left behind is a fifth of all memory, and V8 would keep it. It forgets with it some of
    // what it learnt: hence once more.
    returnMemory();
    return answered + (await ask(listening, request, requests / 4, goOn));
  } finally {
    await listening.close({ grace: 0 });
  }
}

/** The short way, for a client and a key of the moment. */
async function rehearsal(issuer: string, tell: Tell): Promise<{ front: Front; authorization: string }> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const [id, secret, uri] = [`cli_${newSecret()}`, newSecret(), 'urn:postern:warm-up'];
  const client = { id, grantTypes: ['client_credentials'], tokenEndpointAuthMethod: 'client_secret_basic' };
  const key: Partial<PublishedKey> = {
    kid: newSecret(),
    alg: 'RS256',
    publicKey,
    sign: (data) =>
      new Promise((resolve, reject) => {
        sign('sha256', data, privateKey, (error, signature) => (error ? reject(error) : resolve(signature)));
      }),
  };
  const domain = {
    clients: {
      get: async () => client as unknown as RegisteredClient,
      verifySecret: (_client: unknown, given: string) => sameText(given, secret),
    },
    keys: { signer: () => key, onChange() {} },
    resources: { get: async () => undefined },
  } as unknown as Domain;
  const server = { audience: uri, scope: 'warm', accessTokenFormat: 'jwt', accessTokenTTL: 1, defined: [] } as const;
  const servers = { serverFor: async () => server, defaultResource: async () => uri } as never;
  const desk = createFrontDesk({ issuer, trustedProxies: [], tell });
  const ways = [machineTokens({ domain, servers, issuer, onTokens() {} })];
  const front = inShort({ clients: domain.clients, keys: domain.keys, store: {} as Reader, now: Date.now, desk, ways });
  return { front, authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` };
}

/** Each connection asks again when it was answered. */
async function ask({ port }: Listening, request: string, requests: number, goOn: () => boolean): Promise<number> {
  let sent = 0;
  let answered = 0;
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      const next = (): void => {
        if (sent >= requests || !goOn()) return void socket.end();
        sent += 1;
        socket.write(request);
      };
      socket.on('connect', next);
      socket.on('data', (bytes) => {
        if (!bytes.includes('"token_type"')) return;
        answered += 1;
        next();
      });
      // A rehearsal that fails costs the first requests a few milliseconds, and nobody their token.
      socket.on('error', () => {});
      socket.on('close', () => resolve());
    });
  await Promise.all(Array.from({ length: CONNECTIONS }, one));
  return answered;
}
