import test, { type ExecutionContext } from 'ava';
import { exportJWK } from 'jose';
import * as oidc from 'openid-client';
import { discover, request, signIn } from '../support/client.ts';
import { addClient, addPerson, type Postern, startPostern } from '../support/postern.ts';
import { UserAgent } from '../support/user-agent.ts';

let postern: Postern;
test.before(async () => {
  postern = await startPostern();
  await addPerson(postern);
});
test.after.always(() => postern.close());

interface Caught {
  readonly url: string;
  readonly options: RequestInit;
}

/** The request that openid-client would send, which is not sent yet. */
async function caught(config: oidc.Configuration, ask: () => Promise<unknown>): Promise<Caught> {
  const before = config[oidc.customFetch];
  let request: Caught | undefined;
  config[oidc.customFetch] = async (url, options) => {
    request = { url, options: { ...(options as RequestInit), signal: null } };
    return Response.json({ error: 'invalid_request' }, { status: 400 });
  };
  await ask().catch(() => {});
  config[oidc.customFetch] = before as oidc.CustomFetch;
  if (!request) throw new Error('nothing was asked');
  return request;
}

interface Delivered {
  readonly status: number;
  readonly challenge: string;
  readonly error?: string;
  readonly refresh_token?: string;
}

async function deliver({ url, options }: Caught): Promise<Delivered> {
  const answer = await fetch(url, options);
  const body = (await answer.json()) as Pick<Delivered, 'error' | 'refresh_token'>;
  return { ...body, status: answer.status, challenge: answer.headers.get('www-authenticate') ?? '' };
}

const errorOf = async (delivered: Promise<Delivered>) => (await delivered).error;

/** A browser application's tokens, bound to a key. */
async function boundTokens() {
  const config = await discover(postern, await addClient(postern, { type: 'spa', firstParty: true }));
  const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair());
  const agent = new UserAgent(postern.issuer);
  const asked = await request(config);
  const { left } = await signIn(agent, await agent.get(asked.url));
  const checks = { pkceCodeVerifier: asked.verifier, expectedState: asked.state, expectedNonce: asked.nonce };
  return { config, DPoP, tokens: await oidc.authorizationCodeGrant(config, left!, checks, undefined, { DPoP }) };
}

test('a refresh that is delivered twice is refused for its proof, and signs nobody out', async (t) => {
  const { config, DPoP, tokens } = await boundTokens();
  const refresh = () => oidc.refreshTokenGrant(config, tokens.refresh_token!, undefined, { DPoP });
  const sent = await caught(config, refresh);
  const first = await deliver(sent);
  t.is(first.error, undefined);
  t.is(await errorOf(deliver(sent)), 'invalid_dpop_proof');
  t.is((await refresh()).refresh_token, first.refresh_token, 'with a proof of its own');
});

test('20 copies of one refresh at once get one answer', async (t) => {
  const { config, DPoP, tokens } = await boundTokens();
  const sent = await caught(config, () => oidc.refreshTokenGrant(config, tokens.refresh_token!, undefined, { DPoP }));
  const answers = await Promise.all(Array.from({ length: 20 }, () => deliver(sent)));
  const issued = answers.flatMap(({ refresh_token }) => refresh_token ?? []);
  t.true(issued.length > 0);
  t.is(new Set(issued).size, 1);
});

async function seenAtUserinfo(t: ExecutionContext, deliverTwice: (sent: Caught) => Promise<Delivered[]>) {
  const { config, DPoP, tokens } = await boundTokens();
  const sent = await caught(config, () =>
    oidc.fetchUserInfo(config, tokens.access_token, oidc.skipSubjectCheck, { DPoP }),
  );
  const answers = await deliverTwice(sent);
  t.deepEqual(answers.map(({ status }) => status).sort(), [200, 401]);
  const refused = answers.find(({ status }) => status === 401);
  t.is(refused?.error, 'invalid_dpop_proof');
  t.regex(refused?.challenge ?? '', /^DPoP .*error="invalid_dpop_proof".*algs="/);
}

test('at userinfo a proof that was seen is named as what is wrong (RFC 9449 §7.1)', (t) =>
  seenAtUserinfo(t, async (sent) => [await deliver(sent), await deliver(sent)]));

test('at userinfo so is one that two requests bring at once', (t) =>
  seenAtUserinfo(t, (sent) => Promise.all([deliver(sent), deliver(sent)])));

test('at /par too: a proof that was seen asks for another', async (t) => {
  const client = await addClient(postern);
  const config = await discover(postern, client);
  const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair());
  const { url } = await request(config);
  const parameters = Object.fromEntries(url.searchParams);
  const sent = await caught(config, () => oidc.buildAuthorizationUrlWithPAR(config, parameters, { DPoP }));
  t.is((await deliver(sent)).status, 201);
  t.is(await errorOf(deliver(sent)), 'invalid_dpop_proof');
});

test('of an assertion and a proof the one that was seen before is named', async (t) => {
  const key = await oidc.randomDPoPKeyPair('ES256');
  const jwk = await exportJWK(key.publicKey);
  const client = await addClient(postern, { type: 'service', redirectUris: [], jwks: { keys: [jwk] } });
  const config = await discover(postern, client, oidc.PrivateKeyJwt(key.privateKey));
  const DPoP = oidc.getDPoPHandle(config, key);
  const ask = () => caught(config, () => oidc.clientCredentialsGrant(config, undefined, { DPoP }));
  const [one, other, third] = [await ask(), await ask(), await ask()];
  const mixed = (assertion: Caught, proof: Caught): Caught => ({
    url: one.url,
    options: { ...proof.options, body: assertion.options.body! },
  });
  t.is((await deliver(one)).status, 200);
  t.is(await errorOf(deliver(mixed(other, one))), 'invalid_dpop_proof');
  t.is(await errorOf(deliver(mixed(one, third))), 'invalid_client');
  const headers = { ...Object.fromEntries(new Headers(one.options.headers)), dpop: 'a.b.c' };
  t.is(await errorOf(deliver({ ...one, options: { ...one.options, headers } })), 'invalid_client', 'no proof at all');
});
