import * as oidc from 'openid-client';
import type { Server } from '../../src/server.ts';
import { CALLBACK, PASSWORD } from './postern.ts';
import { type Answer, UserAgent } from './user-agent.ts';

export interface Registered {
  readonly id: string;
  readonly secret?: string | undefined;
}

/** The client nobody here wrote: openid-client, configured by discovery. */
export const discover = (
  { issuer }: Pick<Server, 'issuer'>,
  { id, secret }: Registered,
  auth?: oidc.ClientAuth,
): Promise<oidc.Configuration> =>
  oidc.discovery(new URL(issuer), id, secret, auth ?? (secret ? oidc.ClientSecretBasic(secret) : oidc.None()), {
    execute: [oidc.allowInsecureRequests],
  });

export interface Request {
  readonly config: oidc.Configuration;
  readonly url: URL;
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
}

/** An authorization request with PKCE, state and nonce. */
export async function request(config: oidc.Configuration, parameters: Record<string, string> = {}): Promise<Request> {
  const verifier = oidc.randomPKCECodeVerifier();
  const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: 'openid profile email',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...parameters,
  });
  return { config, url, verifier, state, nonce };
}

export const redeem = (
  { config, verifier, state, nonce }: Request,
  left: URL,
  parameters: Record<string, string> | URLSearchParams = {},
) =>
  oidc.authorizationCodeGrant(
    config,
    left,
    { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce },
    parameters,
  );

/** Fills in the sign-in page, and allows what is asked where it is asked. */
export async function signIn(
  agent: UserAgent,
  at: Answer,
  email = 'ada@example.com',
  password = PASSWORD,
): Promise<Answer> {
  const answer = at.page === 'login' ? await agent.submit(at, { email, password, remember: 'yes' }) : at;
  return answer.page === 'consent' ? agent.submit(answer, {}, { name: 'decision', value: 'allow' }) : answer;
}

/** The whole way from an application's button to its tokens. */
export async function authorize(
  server: Pick<Server, 'issuer'>,
  client: Registered,
  parameters: Record<string, string> = {},
  agent = new UserAgent(server.issuer),
  email?: string,
) {
  const config = await discover(server, client);
  const asked = await request(config, parameters);
  const answer = await signIn(agent, await agent.get(asked.url), email);
  if (!answer.left) throw new Error(`not sent back but shown ${answer.page} (${answer.status})`);
  return { config, agent, asked, left: answer.left, tokens: await redeem(asked, answer.left) };
}
