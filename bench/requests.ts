import { createHash } from 'node:crypto';
import { PASSWORD } from '../test/support/postern.ts';
import { BARE } from './bare-client.ts';
import { CALLBACK, type Deployment, type signIn } from './postern.ts';
import { FORM, type Script } from './scripts.ts';

/** Connections that ask at the same time; each refreshes or signs in for a person of its own. */
export const CLIENTS = 32;
/** Access token, ID token, refresh token: what one refresh, one code and one password grant sign. */
export const SIGNATURES = 3;
export const SCOPE = 'openid profile email';

const BARE_AUTHORIZATION = `Basic ${Buffer.from(`${BARE.id}:${BARE.secret}`).toString('base64')}`;

type Same = Script & { kind: 'same' };
type Signed = Awaited<ReturnType<typeof signIn>>;

export const refreshing = ({ web }: Deployment, { tokens }: Signed): Script => ({
  kind: 'refresh',
  authorization: web.authorization,
  tokens,
});

/** The same of children/bare-tokens.ts. */
export const bareRefreshing = (tokens: readonly string[]): Script => ({
  kind: 'refresh',
  authorization: BARE_AUTHORIZATION,
  tokens,
});

export const passwordGrants = ({ web, people }: Deployment): Script => ({
  kind: 'password',
  authorization: web.authorization,
  form: { password: PASSWORD, scope: SCOPE },
  usernames: people,
});

export function codeFlow({ web }: Deployment, { cookies }: Signed): Script {
  const verifier = 'a'.repeat(43);
  const query = new URLSearchParams({
    client_id: web.id,
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope: SCOPE,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    state: 'a-state-of-some-length',
    nonce: 'a-nonce-of-some-length',
  });
  return {
    kind: 'code',
    authorize: `/authorize?${query}`,
    authorization: web.authorization,
    form: { redirect_uri: CALLBACK, code_verifier: verifier },
    cookies,
  };
}

const clientCredentials = (authorization: string): Same => ({
  kind: 'same',
  method: 'POST',
  path: '/token',
  headers: { ...FORM, Authorization: authorization },
  body: 'grant_type=client_credentials&scope=files.read',
});

export const machineToken = ({ service }: Deployment): Same => clientCredentials(service.authorization);

/** The same of children/bare-engine.ts. */
export const bareMachineToken: Same = clientCredentials(BARE_AUTHORIZATION);
