/** oidc-provider as it comes, with its own memory adapter: what the protocol costs without our promises. */
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';
import { BARE } from '../bare-client.ts';
import { answer } from './answer.ts';

/** As long as ours: by Node's five seconds a connection that is asked seldom may end just as it is asked again. */
const KEEP_ALIVE = 75_000;

// Its hints on what we leave as it comes.
console.info = console.warn = () => {};

async function serve(): Promise<string> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const listening = createServer({ keepAliveTimeout: KEEP_ALIVE }, (req, res) => void handle(req, res));
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  const provider = new Provider(url, {
    clients: [
      {
        client_id: BARE.id,
        client_secret: BARE.secret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'bench' } as never] },
    cookies: { keys: ['bench'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => BARE.resource,
        getResourceServerInfo: () => ({
          scope: BARE.scope,
          accessTokenFormat: 'jwt' as const,
          jwt: { sign: { alg: 'RS256' as const } },
        }),
      },
    },
  });
  const handle = provider.callback();
  return url;
}

answer({ serve });
