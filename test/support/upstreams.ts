import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import type { Server } from '../../src/server.ts';
import { answering } from './answering.ts';
import { addClient } from './postern.ts';
import { type Answer, UserAgent } from './user-agent.ts';

/** Lets a server of ours talk to others on this machine, which may have much to do. */
export const OUTBOUND = { POSTERN_OUTBOUND_ALLOW: '127.0.0.1,localhost', POSTERN_OUTBOUND_TIMEOUT: '2m' } as const;

type Terms = Partial<Parameters<Server['domain']['upstreams']['add']>[0]>;

/** Offers one server of ours on the sign-in page of another. */
export async function addPosternUpstream(here: Server, there: Server, more: Terms = {}): Promise<string> {
  const id = more.id ?? 'city';
  const { id: clientId, secret } = await addClient(there, {
    name: 'Postern',
    redirectUris: [here.domain.upstreams.callbackOf(id)],
    firstParty: true,
  });
  await here.domain.upstreams.add({
    id,
    name: 'City of Riverside',
    kind: 'oidc',
    issuer: there.issuer,
    clientId,
    clientSecret: secret,
    scopes: ['openid', 'email', 'profile'],
    ...more,
  });
  return id;
}

/** Presses an upstream's button. Gives where the browser is sent, or what it is shown instead. */
export const press = (
  agent: UserAgent,
  page: Answer,
  upstream: string,
  fields = { remember: 'yes' },
): Promise<Answer> => agent.submit(page, fields, { name: 'upstream', value: upstream });

/** Signs in at an upstream and follows the way back, to whatever is shown then. */
export async function signInThere(
  agent: UserAgent,
  page: Answer,
  upstream: string,
  there: (at: URL) => Promise<Answer>,
): Promise<Answer> {
  const { left } = await press(agent, page, upstream);
  if (!left) throw new Error('the button led nowhere');
  const { left: back } = await there(left);
  if (!back) throw new Error('the upstream did not send anybody back');
  return agent.get(back);
}

export interface BareProvider extends AsyncDisposable {
  readonly issuer: string;
  /** Somebody signs in there, allows, and is sent back. */
  visit(at: URL, login: string): Promise<Answer>;
}

/** oidc-provider as it comes, its own pages, adapter and keys included. */
export async function startBareProvider(callback: string): Promise<BareProvider> {
  const server: HttpServer = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'postern', client_secret: 'a secret of the test', redirect_uris: [callback] }],
    cookies: { keys: ['a key of the test'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    findAccount: (_ctx, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, email: `${id}@bare.example`, email_verified: true, name: `Bare ${id}` }),
    }),
  });
  server.on('request', provider.callback());
  return {
    issuer,
    async visit(at, login) {
      const agent = new UserAgent(issuer);
      const signedIn = await agent.submit(await agent.get(at), { prompt: 'login', login, password: 'any' });
      return signedIn.left ? signedIn : agent.submit(signedIn, { prompt: 'consent' });
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface GitHubStub extends AsyncDisposable {
  readonly issuer: string;
  /** Whoever comes next. */
  person: { id: unknown; login: unknown; name: unknown; emails: unknown };
  /** What its answers say they are from (RFC 9207): its own identifier at first; undefined is nothing, as older ones say. */
  iss: string | undefined;
  /** What was sent to the token endpoint, in order. */
  readonly redeemed: URLSearchParams[];
}

/** A GitHub Enterprise Server, as far as signing in goes: whoever comes is signed in, errors come with status 200. */
export async function startGitHub(): Promise<GitHubStub> {
  const codes = new Map<string, string>();
  const redeemed: URLSearchParams[] = [];
  const server = createServer(
    answering(async (request, response) => {
      const url = new URL(request.url ?? '/', issuer);
      const json = (body: unknown, status = 200) =>
        response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
      if (url.pathname === '/login/oauth/authorize') {
        const code = `code${codes.size}`;
        codes.set(code, url.searchParams.get('code_challenge') ?? '');
        const back = new URL(url.searchParams.get('redirect_uri') ?? '');
        back.searchParams.set('code', code);
        back.searchParams.set('state', url.searchParams.get('state') ?? '');
        if (stub.iss !== undefined) back.searchParams.set('iss', stub.iss);
        return response.writeHead(302, { location: back.href }).end();
      }
      if (url.pathname === '/login/oauth/access_token') {
        let text = '';
        for await (const chunk of request) text += chunk;
        const body = new URLSearchParams(text);
        redeemed.push(body);
        if (!codes.delete(body.get('code') ?? ''))
          return json({
            error: 'bad_verification_code',
            error_description: 'The code passed is incorrect or expired.',
          });
        return json({ access_token: 'gho_token', scope: 'read:user,user:email', token_type: 'bearer' });
      }
      if (request.headers.authorization !== 'Bearer gho_token' || !request.headers['user-agent'])
        return json({ message: 'Bad credentials' }, 401);
      const { emails, ...user } = stub.person;
      if (url.pathname === '/api/v3/user') return json(user);
      if (url.pathname === '/api/v3/user/emails') return json(emails);
      return json({ message: 'Not Found' }, 404);
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stub: GitHubStub = {
    issuer,
    iss: `${issuer}/login/oauth`,
    redeemed,
    person: {
      id: 583231,
      login: 'octocat',
      name: 'The Octocat',
      emails: [
        { email: 'old@octocat.example', primary: false, verified: true },
        { email: 'octocat@github.example', primary: true, verified: true },
      ],
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return stub;
}
