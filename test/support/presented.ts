/**
 * Everything Postern gives out that works once, or until it is revoked: each with a way to present it, and to use it up or
 * take it back. A presentation is the very same request, byte for byte, whoever answers it.
 */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import type { Server } from '../../src/server.ts';
import { authorize, discover, type Registered, request, signIn } from './client.ts';
import { addClient, addPerson, CALLBACK, PASSWORD } from './postern.ts';
import { giveApp, RECOVERY_CODES } from './second-factor.ts';
import { UserAgent } from './user-agent.ts';

export interface Given {
  readonly what: string;
  /** Presents it; whether that was of any use. Using it once is presenting it. */
  present(): Promise<boolean>;
  /** Takes it back, where that is another thing than presenting it. */
  end?(): Promise<unknown>;
}

const SECRETS = 'https://secrets.example.com';
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

const basic = ({ id, secret }: Registered) => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` });

/** A browser as it is now: what happens to the other's cookies later does not reach it. */
function copyOf(agent: UserAgent): UserAgent {
  const copy = new UserAgent(agent.origin, agent.headers);
  for (const [name, cookie] of agent.cookies) copy.cookies.set(name, cookie);
  return copy;
}

/** Gives out one of each. Nothing of it is used yet. */
export async function giveOut(server: Server): Promise<Given[]> {
  const { issuer, domain } = server;
  await addPerson(server);
  await domain.resources.add({ uri: SECRETS, scopes: ['x'], revocable: true });
  const web = await addClient(server);
  const service = await addClient(server, { type: 'service', redirectUris: [], resources: [SECRETS] });
  const config = await discover(server, web);
  const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = basic(web)) =>
    fetch(`${issuer}${path}`, { method: 'POST', body: new URLSearchParams(fields), headers });
  const ok = async (answer: Promise<Response>) => (await answer).status === 200;
  const isActive = async (token: string, by: Registered) =>
    ((await (await post('/introspect', { token }, basic(by))).json()) as { active: boolean }).active;
  const refresh = (token: string) => ok(post('/token', { grant_type: 'refresh_token', refresh_token: token }));

  async function code(): Promise<Given> {
    const asked = await request(config);
    const agent = new UserAgent(issuer);
    const { left } = await signIn(agent, await agent.get(asked.url));
    const fields = {
      grant_type: 'authorization_code',
      code: left!.searchParams.get('code')!,
      redirect_uri: CALLBACK,
      code_verifier: asked.verifier,
    };
    return { what: 'an authorization code', present: () => ok(post('/token', fields)) };
  }

  async function tokens(): Promise<Given[]> {
    const [used, revoked, access] = [
      await authorize(server, web),
      await authorize(server, web),
      await authorize(server, web),
    ];
    const lives = async (token: string) => {
      const told = await fetch(`${issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } });
      return (await isActive(token, web)) || told.status === 200;
    };
    return [
      { what: 'a refresh token', present: () => refresh(used.tokens.refresh_token!) },
      {
        what: 'a refresh token that was revoked',
        present: () => refresh(revoked.tokens.refresh_token!),
        end: () => post('/revoke', { token: revoked.tokens.refresh_token! }),
      },
      {
        what: 'an access token',
        present: () => lives(access.tokens.access_token),
        end: () => post('/revoke', { token: access.tokens.access_token }),
      },
    ];
  }

  async function machineToken(): Promise<Given> {
    const { access_token: token } = await oidc.clientCredentialsGrant(await discover(server, service));
    return {
      what: 'a machine token',
      present: () => isActive(token, service),
      end: () => post('/revoke', { token }, basic(service)),
    };
  }

  async function session(): Promise<Given> {
    const { agent } = await authorize(server, web);
    const url = (await request(config)).url;
    const before = copyOf(agent);
    return {
      what: 'a session',
      present: async () => (await copyOf(before).get(url)).left?.searchParams.has('code') ?? false,
      async end() {
        const asked = await agent.get('/logout');
        await agent.submit(asked, {}, { name: 'logout', value: 'yes' });
      },
    };
  }

  async function interaction(): Promise<Given> {
    const agent = new UserAgent(issuer);
    const page = await agent.get((await request(config)).url);
    return {
      what: 'a sign-in that was begun',
      present: async () => (await signIn(copyOf(agent), page)).left?.searchParams.has('code') ?? false,
    };
  }

  async function pushedRequest(): Promise<Given> {
    const { url } = await request(config);
    const pushed = await post('/par', Object.fromEntries(url.searchParams));
    const { request_uri } = (await pushed.json()) as { request_uri: string };
    const at = `/authorize?${new URLSearchParams({ client_id: web.id, request_uri })}`;
    return {
      what: 'a pushed authorization request',
      async present() {
        const agent = new UserAgent(issuer);
        const page = await agent.get(at);
        return page.page === 'login' && (await signIn(agent, page)).left?.searchParams.has('code') === true;
      },
    };
  }

  async function assertion(): Promise<Given> {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
    const { id } = await addClient(server, { type: 'service', redirectUris: [], jwks: { keys: [jwk] } });
    const now = Math.floor(Date.now() / 1000);
    const signed = await new SignJWT({ iss: id, sub: id, aud: issuer, jti: 'one', iat: now, exp: now + 3600 })
      .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
      .sign(privateKey);
    const fields = { grant_type: 'client_credentials', client_assertion_type: ASSERTION, client_assertion: signed };
    return { what: 'a client assertion', present: () => ok(post('/token', fields, {})) };
  }

  async function proof(): Promise<Given> {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const iat = Math.floor(Date.now() / 1000);
    const dpop = await new SignJWT({ jti: 'one', htm: 'POST', htu: `${issuer}/token`, iat })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) })
      .sign(privateKey);
    const send = () => post('/token', { grant_type: 'client_credentials' }, { ...basic(service), dpop });
    return { what: 'a DPoP proof', present: () => ok(send()) };
  }

  /** Somebody with an authenticator app and recovery codes, and what they type after the password. */
  async function secondFactors(): Promise<Given[]> {
    const person = await addPerson(server, 'grace@example.com');
    const app = await giveApp(server, person);
    const typed = async (code: string): Promise<boolean> => {
      const agent = new UserAgent(issuer);
      const page = await agent.get((await request(config)).url);
      const asked = await agent.submit(page, { email: person.email, password: PASSWORD });
      const answer = await agent.submit(asked, { code });
      return answer.page === 'consent';
    };
    const code = app.code();
    return [
      { what: 'the code of an authenticator app', present: () => typed(code) },
      { what: 'a recovery code', present: () => typed(RECOVERY_CODES[0]!) },
    ];
  }

  return [
    await code(),
    ...(await tokens()),
    await machineToken(),
    await session(),
    await interaction(),
    await pushedRequest(),
    await assertion(),
    await proof(),
    ...(await secondFactors()),
  ];
}
