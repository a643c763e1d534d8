/**
 * A live token is told about by a short way (src/short/introspection.ts), as the engine tells it, for as long as it lives
 * and not a request longer.
 */
import test from 'ava';
import fc from 'fast-check';
import * as oidc from 'openid-client';
import { minutes } from '../../src/lib/index.ts';
import { overhear, RUNS, SEED, sameBothWays, wholeWay } from '../support/both-ways.ts';
import { authorize, discover } from '../support/client.ts';
import { pass } from '../support/clock.ts';
import { type Pairs, rarely, type Sent, send } from '../support/hostile.ts';
import { addClient, addPerson, PASSWORD, type Postern } from '../support/postern.ts';
import { basic, type Credentials, HEADERS, plain, proof, sentWith, word, wrong } from '../support/program-requests.ts';
import { digest, shortWaysOf } from '../support/short-ways.ts';

const API = 'https://files.example.com';
const RECORDED = 'https://secrets.example.com';

const overheard = overhear(test);
let postern: Postern;
let web: Credentials;
let askers: Credentials[];
let live: string[];
let dead: string[];

const post = (path: string, by: Credentials, fields: Record<string, string>) =>
  fetch(`${postern.issuer}${path}`, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers: { authorization: basic(by) },
  });

const add = async (more: object = {}): Promise<Credentials> => {
  const { id, secret } = await addClient(postern, { firstParty: true, passwordGrant: true, ...more } as object);
  return { id, secret: secret ?? 'none' };
};

const service = (more: object) => add({ type: 'service', redirectUris: [], passwordGrant: false, ...more });

/** What somebody gets who signs in; a session of its own each time. */
const signIn = async (client: Credentials, parameters: Record<string, string> = {}, email?: string) => {
  const { tokens, agent } = await authorize(postern, client, parameters, undefined, email);
  return { access: tokens.access_token, refresh: tokens.refresh_token!, agent };
};

const machine = async (client: Credentials, fields: Record<string, string> = {}): Promise<string> => {
  const answer = await post('/token', client, { grant_type: 'client_credentials', ...fields });
  return ((await answer.json()) as { access_token: string }).access_token;
};

const bound = async (client: Credentials): Promise<string> => {
  const config = await discover(postern, client);
  const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair());
  return (await oidc.clientCredentialsGrant(config, undefined, { DPoP })).access_token;
};

test.serial.before(async () => {
  ({ postern } = overheard);
  const { resources, clients } = postern.domain;
  await resources.add({ uri: API, scopes: ['files.read', 'files.write'], ttl: minutes(7) });
  await resources.add({ uri: RECORDED, scopes: ['files.read'], revocable: true });
  await addPerson(postern);
  web = await add({ resources: [API] });
  const other = await add({ resources: [API] });
  const spa: Credentials = {
    ...(await addClient(postern, { type: 'spa', firstParty: true, resources: [API] })),
    secret: '',
  };
  const [api, secrets, nothing, gone] = [
    await service({ resources: [API] }),
    await service({ resources: [RECORDED, API] }),
    await service({}),
    await service({ resources: [API] }),
  ];
  askers = [web, api, secrets, other, nothing, spa, { id: api.id, secret: 'not it' }];

  const [one, forApi, offline, open] = [
    await signIn(web),
    await signIn(web, { scope: 'openid files.read', resource: API, acr_values: 'urn:postern:acr:one-factor' }),
    await signIn(web, { scope: 'openid offline_access files.read', resource: API, prompt: 'consent' }),
    await signIn(spa, { scope: 'openid files.write', resource: API }),
  ];
  const byPassword = await post('/token', web, {
    grant_type: 'password',
    username: 'ada@example.com',
    password: PASSWORD,
    scope: 'openid email',
  });
  const { access_token: asked } = (await byPassword.json()) as { access_token: string };
  live = [
    ...[one, forApi, offline, open].flatMap(({ access, refresh }) => [access, refresh]),
    asked,
    await machine(api, { scope: 'files.read' }),
    await machine(nothing),
    await machine(secrets),
    await machine(secrets, { resource: API, scope: 'files.read' }),
    await bound(api),
    await bound(secrets),
  ];

  const bob = await addPerson(postern, 'bob@example.com', 'Bob');
  const [revoked, used, signedOut, disabled] = [
    await signIn(web),
    await signIn(web),
    await signIn(web),
    await signIn(web, {}, bob.email),
  ];
  await post('/revoke', web, { token: revoked.access });
  await post('/token', web, { grant_type: 'refresh_token', refresh_token: used.refresh });
  await signedOut.agent.submit(await signedOut.agent.get('/logout'), {}, { name: 'logout', value: 'yes' });
  await postern.domain.accounts.setDisabled(bob.id, true);
  const ended = await machine(secrets);
  await post('/revoke', secrets, { token: ended });
  const orphan = await machine(gone);
  await clients.remove(gone.id);
  const changed = (text: string, at: number) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
  dead = [
    revoked.access,
    revoked.refresh,
    used.refresh,
    signedOut.access,
    signedOut.refresh,
    disabled.access,
    ended,
    orphan,
    changed(one.access, 5),
    changed(one.access, one.access.indexOf('.') + 9),
    changed(one.access, one.access.length - 9),
    one.access.slice(0, -1),
    `${one.access}.`,
    ` ${one.access}`,
  ];
});

const requests = (tokens: () => readonly string[]): fc.Arbitrary<Sent> =>
  fc
    .record({
      proof: proof(fc.oneof(fc.nat({ max: 2 }), fc.nat({ max: askers.length - 1 })).map((n) => askers[n]!)),
      token: word(fc.constantFrom(...tokens())),
      hint: fc.option(word(fc.constantFrom('access_token', 'refresh_token', 'id_token')), { freq: 2 }),
      headers: rarely(fc.constantFrom(...HEADERS)),
      wrong: wrong(),
    })
    .chain(({ proof, token, hint, headers, wrong }) => {
      const pairs: Pairs = [
        ['token', token],
        ...(hint === null ? [] : [['token_type_hint', hint] as const]),
        ...proof.pairs,
      ];
      return sentWith(wrong, { path: '/introspect', pairs, headers: { ...proof.headers, ...headers } });
    });

test.serial(
  'thousands of honest and hostile questions are answered, logged and counted the same either way',
  async (t) => {
    t.log(`seed ${SEED}, ${RUNS} requests`);
    const all = fc.sample(
      requests(() => [...live, ...live, ...dead]),
      { numRuns: RUNS, seed: SEED },
    );
    const answers = await sameBothWays(t, overheard, all);
    const active = answers.filter(({ body }) => body.includes('"active":true')).length;
    t.true(active > RUNS / 20 && active < RUNS * 0.9, `${active} of ${RUNS} were live`);
  },
);

const ask = (token: string, by: Credentials): Sent => ({
  method: 'POST',
  path: '/introspect',
  ...plain([['token', token]]),
  headers: { ...plain([]).headers, authorization: basic(by) },
});

test.serial('the short way answers whatever is live and told, and gives everything else on untouched', async (t) => {
  const { url, heard } = await shortWaysOf(t, postern);
  let [active, answered] = [0, 0];
  for (const token of [...live, ...dead])
    for (const by of askers.filter(({ secret }) => secret)) {
      const sent = ask(token, by);
      const [near, far] = [await send(url, sent), await send(postern.url, { ...sent, path: wholeWay(sent.path) })];
      if (near.status === 418) t.is(near.text, digest(sent.body ?? ''));
      else t.is(near.text, far.text);
      if (far.text.includes('"active":true')) active += 1;
      if (near.status === 200) answered += 1;
    }
  t.is(answered, active);
  t.is(heard.told, answered);
  t.true(answered > live.length);
});

test.serial('an answer that cannot be sent is told as a failure, and ends no process', async (t) => {
  const { url } = await shortWaysOf(t, postern, undefined, { headers: () => ['X-Impossible', 'a\nb'] });
  t.is((await send(url, ask(live[0]!, web))).status, 503);
});

interface Held extends Credentials {
  readonly access: string;
  readonly refresh: string;
  readonly personId: string;
  signOut(): Promise<unknown>;
}

let people = 0;

/** An application of its own, a person of its own, and the tokens of one sign-in. */
async function held(): Promise<Held> {
  people += 1;
  const email = `somebody-${people}@example.com`;
  const { id: personId } = await addPerson(postern, email, 'Somebody');
  const client = await add({ resources: [API] });
  const { agent, ...tokens } = await signIn(client, { scope: 'openid files.read', resource: API }, email);
  const signOut = async () => agent.submit(await agent.get('/logout'), {}, { name: 'logout', value: 'yes' });
  return { ...client, ...tokens, personId, signOut };
}

const lose = async (table: 'sessions' | 'grants', personId: string) => {
  const { rows } = await postern.store.find(table, 'accountId', personId);
  await postern.store.commit(rows.map(({ id }) => ({ remove: table, id })));
};

const ENDS: readonly [fact: string, end: (held: Held) => Promise<unknown>, ended: readonly ('access' | 'refresh')[]][] =
  [
    ['the access token is revoked', (of) => post('/revoke', of, { token: of.access }), ['access', 'refresh']],
    ['the refresh token is revoked', (of) => post('/revoke', of, { token: of.refresh }), ['access', 'refresh']],
    [
      'the refresh token is used',
      (of) => post('/token', of, { grant_type: 'refresh_token', refresh_token: of.refresh }),
      ['refresh'],
    ],
    ['the person signs out', ({ signOut }) => signOut(), ['access', 'refresh']],
    [
      'the person is disabled',
      ({ personId }) => postern.domain.accounts.setDisabled(personId, true),
      ['access', 'refresh'],
    ],
    [
      'the person takes the application its access',
      ({ personId, id }) => postern.domain.consents.withdraw(personId, id),
      ['access', 'refresh'],
    ],
    // Whatever ends these ends the tokens too, but perhaps a moment later.
    ['its session is no more', ({ personId }) => lose('sessions', personId), ['access', 'refresh']],
    ['its grant is no more', ({ personId }) => lose('grants', personId), ['access', 'refresh']],
  ];

for (const [fact, end, ended] of ENDS) {
  test.serial(`a token that was asked about is no longer told live once ${fact}`, async (t) => {
    const { url } = await shortWaysOf(t, postern);
    const of = await held();
    for (const kind of ['access', 'refresh'] as const) {
      t.is((await send(url, ask(of[kind], of))).status, 200);
      t.is((await send(url, ask(of[kind], of))).status, 200);
    }
    await end(of);
    for (const kind of ended) {
      t.is((await send(url, ask(of[kind], of))).status, 418, kind);
      t.is((await send(postern.url, ask(of[kind], of))).text, '{"active":false}', kind);
    }
  });
}

test.serial('whoever may no longer ask, or has another secret, is not told', async (t) => {
  const { url } = await shortWaysOf(t, postern);
  const { access } = await held();
  const api = await service({ resources: [API] });
  t.is((await send(url, ask(access, api))).status, 200);
  await postern.domain.clients.update(api.id, { resources: [] });
  t.is((await send(url, ask(access, api))).status, 418);
  t.is((await send(postern.url, ask(access, api))).text, '{"active":false}');
  await postern.domain.clients.update(api.id, { resources: [API] });
  t.is((await send(url, ask(access, api))).status, 200);
  await postern.domain.clients.rotateSecret(api.id);
  t.is((await send(url, ask(access, api))).status, 418);
  t.is((await send(postern.url, ask(access, api))).status, 401);
});

test.serial('an old secret asks for as long as it was left, and no longer', async (t) => {
  const { url } = await shortWaysOf(t, postern);
  const { access, ...by } = await held();
  t.is((await send(url, ask(access, by))).status, 200);
  const { secret } = await postern.domain.clients.rotateSecret(by.id, { keepOldFor: minutes(1) });
  for (const each of [secret, by.secret, by.secret])
    t.is((await send(url, ask(access, { id: by.id, secret: each }))).status, 200);
  pass(minutes(1) + 1_000);
  t.is((await send(url, ask(access, by))).status, 418);
  t.is((await send(url, ask(access, { id: by.id, secret }))).status, 200);
});

test.serial('a machine’s token is not told live once its client is gone', async (t) => {
  const { url } = await shortWaysOf(t, postern);
  const { resources, clients } = postern.domain;
  const uri = 'https://calendars.example.com';
  await resources.add({ uri, scopes: [] });
  const [api, one] = [await service({ resources: [uri] }), await service({ resources: [uri] })];
  const removed = await machine(one);
  for (const token of [removed, removed]) t.is((await send(url, ask(token, api))).status, 200);
  await clients.remove(one.id);
  t.is((await send(url, ask(removed, api))).status, 418);
});

test.serial('an expired token is not told live, though its record is kept a little longer', async (t) => {
  const { url } = await shortWaysOf(t, postern);
  const of = await held();
  const own = await machine(askers[1]!, { resource: API });
  pass(minutes(7) - 2_000);
  for (const [token, by] of [
    [of.access, of],
    [own, askers[1]!],
  ] as const)
    t.is((await send(url, ask(token, by))).status, 200);
  pass(3_000);
  for (const [token, by] of [
    [of.access, of],
    [own, askers[1]!],
  ] as const) {
    t.is((await send(url, ask(token, by))).status, 418);
    t.is((await send(postern.url, ask(token, by))).text, '{"active":false}');
  }
});

test.serial('no token is told live whose key was revoked', async (t) => {
  const { url } = await shortWaysOf(t, postern);
  const { access, ...by } = await held();
  for (const token of [access, access]) t.is((await send(url, ask(token, by))).status, 200);
  const { keys } = postern.domain;
  await keys.revoke(keys.signer().kid);
  t.is((await send(url, ask(access, by))).status, 418);
  const later = await held();
  t.is((await send(url, ask(later.access, later))).status, 200);
});
