/**
 * A right password is granted by a short way in front of everything (src/short/passwords.ts), as the grant itself grants it
 * (src/grants/password.ts). Whichever way a request goes, its password is tried once.
 */
import test from 'ava';
import fc from 'fast-check';
import { minutes } from '../../src/lib/index.ts';
import type { Artifact, Row, Store } from '../../src/store/index.ts';
import { StoreUnavailable } from '../../src/store/index.ts';
import { type Compare, inJson, overhear, RUNS, SEED, sameBothWays, wholeWay } from '../support/both-ways.ts';
import { encodePairs, type Pairs, rarely, type Sent, send } from '../support/hostile.ts';
import { claimsOf, minutesBetween, openedOf, rowOf } from '../support/kept-sign-ins.ts';
import { addClient, addPerson, PASSWORD, type Postern, startPostern } from '../support/postern.ts';
import { basic, type Credentials, HEADERS, plain, proof, sentWith, word, wrong } from '../support/program-requests.ts';
import { giveApp, TWO } from '../support/second-factor.ts';
import { digest, shortWaysOf } from '../support/short-ways.ts';
import { until } from '../support/until.ts';

const API = 'https://files.example.com';
const FEW = 'https://few.example.com';
const ODD = 'çà & là = 100 % + "🔐" pass';

const overheard = overhear(test);
let postern: Postern;
let clients: Credentials[];

test.serial.before(async () => {
  ({ postern } = overheard);
  const { accounts, resources } = postern.domain;
  await resources.add({ uri: API, scopes: ['files.read', 'files.write'], ttl: minutes(7) });
  await resources.add({ uri: FEW, scopes: ['files.read'], revocable: true });
  const add = async (more: object = {}): Promise<Credentials> => {
    const { id, secret = 'none' } = await addClient(postern, { passwordGrant: true, ...more });
    return { id, secret };
  };
  clients = [
    await add(),
    await add({ resources: [API, FEW] }),
    await add({ firstParty: true, redirectUris: [], resources: [FEW, API], scopes: ['files.read', 'email'] }),
    await add({ type: 'spa' }),
    await add({ passwordGrant: false }),
    await add({ acrValues: [TWO] }),
    await add({ acrValues: ['urn:postern:acr:one-factor'], resources: [API] }),
  ];
  await addPerson(postern);
  await accounts.add({ email: 'odd+sign@example.com', name: 'Zoë 🔐', password: ODD });
  await accounts.setDisabled((await addPerson(postern, 'disabled@example.com')).id, true);
  await giveApp(postern, await addPerson(postern, 'careful@example.com'));
  await accounts.add({ email: 'without@example.com' });
  // Nothing is said later of what was done here.
  await until(() => overheard.lines.some(({ mail }) => mail === 'factor-added'));
});

/** The time of the sign-in is that of the request. */
const likeJson: Compare = (answer, path) => {
  const { body, ...rest } = inJson(answer, path);
  return { ...rest, body: body.replaceAll(/(\\"auth_time\\":)\d+/g, '$1now') };
};

const SCOPES = [
  ...['openid', 'openid profile email', 'email', 'openid email files.read', 'files.read files.write openid'],
  ...['files.read files.read', 'files.read  openid', 'offline_access openid', 'x'],
];
const PEOPLE = [
  ...['ada@example.com', 'ADA@Example.com', ' ada@example.com'],
  ...['disabled@example.com', 'careful@example.com', 'without@example.com', 'nobody@example.com'],
];

const OWN = [
  ['ada@example.com', PASSWORD],
  ['odd+sign@example.com', ODD],
] as const;
const RIGHT = OWN.map(([username, password]) =>
  encodePairs([
    ['username', username],
    ['password', password],
  ]),
);

/** Mostly somebody with their password: each wrong one costs a hash. */
const whose = () =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(OWN[0]) },
    { weight: 2, arbitrary: fc.constant(OWN[1]) },
    {
      weight: 2,
      arbitrary: fc.tuple(word(fc.constantFrom(...PEOPLE)), word(fc.constantFrom(PASSWORD, `${PASSWORD} `, ODD))),
    },
  );

/** Those that may have something more often than the others. */
const asker = () => fc.oneof(fc.nat({ max: 2 }), fc.nat({ max: clients.length - 1 })).map((n) => clients[n]!);

const requests = (): fc.Arbitrary<Sent> =>
  fc
    .record({
      proof: proof(asker()),
      whose: whose(),
      scope: fc.option(word(fc.constantFrom(...SCOPES)), { freq: 4 }),
      resource: rarely(word(fc.constantFrom(API, FEW, `${API}/`, `${postern.issuer}/api`))),
      headers: rarely(fc.constantFrom(...HEADERS)),
      wrong: wrong(),
    })
    .chain(({ proof, whose: [username, password], scope, resource, headers, wrong }) => {
      const pairs: Pairs = [
        ...([
          ['grant_type', 'password'],
          ['username', username],
          ['password', password],
        ] as const),
        ...(scope === null ? [] : [['scope', scope] as const]),
        ...(resource === null ? [] : [['resource', resource] as const]),
        ...proof.pairs,
      ];
      return sentWith(wrong, { path: '/token', pairs, headers: { ...proof.headers, ...headers } });
    });

test.serial('whoever asks for whom, rightly or not, it is the same either way', async (t) => {
  const runs = Math.ceil(RUNS / 3);
  t.log(`seed ${SEED}, ${runs} requests`);
  const all = fc.sample(requests(), { numRuns: runs, seed: SEED });
  // Whoever was asked for once is counted in a row that is there. A right password costs as much: one for each of its two owners.
  const guesses = all.filter(({ body }) => !RIGHT.some((pairs) => `${body}&`.includes(`${pairs}&`)));
  const right = OWN.map(([username, password]) => asking(clients[0]!, { username, password }));
  for (const sent of [...guesses, ...right]) await send(postern.url, sent);
  const answers = await sameBothWays(t, overheard, all, { compare: likeJson });
  const good = answers.filter(({ status }) => status === 200).length;
  t.true(good > runs / 8 && good < runs * 0.8, `${good} of ${runs} were granted`);
});

const asking = (
  client: Credentials,
  { username = 'ada@example.com', password = PASSWORD, scope = 'openid email', ...more }: Record<string, string> = {},
): Sent => {
  const isPublic = client.secret === 'none';
  const dress = plain([
    ...Object.entries({ grant_type: 'password', username, password, scope, ...more }),
    ...(isPublic ? ([['client_id', client.id]] as const) : []),
  ]);
  const headers = { ...dress.headers, ...(!isPublic && { authorization: basic(client) }) };
  return { method: 'POST', path: '/token', ...dress, headers };
};

test.serial('every scope an application may ask for, of every API, is granted the same either way', async (t) => {
  const all = clients.flatMap((client) =>
    [undefined, API, FEW, `${postern.issuer}/api`].flatMap((resource) =>
      ['openid', 'email openid files.read', 'profile', 'files.write', 'openid offline_access'].map((scope) =>
        asking(client, { scope, ...(resource && { resource }) }),
      ),
    ),
  );
  const answers = await sameBothWays(t, overheard, all, { compare: likeJson });
  const good = answers.filter(({ status }) => status === 200).length;
  t.true(good > all.length / 5 && good < all.length * 0.8, `${good} of ${all.length} were granted`);
});

/** What the store keeps of a grant, chance and time taken out. */
async function remembered(text: string) {
  const { access_token, refresh_token } = JSON.parse(text) as { access_token: string; refresh_token?: string };
  const opened = openedOf(postern);
  const open = (table: 'access_tokens' | 'refresh_tokens' | 'grants', row: Row<Artifact>) => {
    const { jti, grantId, iat, exp, iiat, authTime, extra, ...rest } = opened.open(table, row) as unknown as Record<
      string,
      number
    > & { extra?: Record<string, unknown> };
    const { sealed, grantId: kept, ...record } = row.record;
    return {
      rest,
      record,
      extra: extra && { ...extra, auth_time: minutesBetween(Number(extra['auth_time']), iat!) },
      lives: minutesBetween(iat!, exp!),
      kept: row.expiresAt! / 1000 - exp!,
      since: [iiat, authTime].map((at) => at && minutesBetween(at, iat!)),
      long: [jti, grantId, kept].map((id) => String(id).length),
    };
  };
  const access = await rowOf(postern, 'access_tokens', claimsOf(access_token).jti);
  const { grantId } = opened.open('access_tokens', access);
  return {
    access: open('access_tokens', access),
    refresh:
      refresh_token && open('refresh_tokens', await rowOf(postern, 'refresh_tokens', claimsOf(refresh_token).jti)),
    grant: open('grants', await rowOf(postern, 'grants', grantId!)),
  };
}

test.serial('what the store keeps of it is the same either way', async (t) => {
  const [first, second, third, fourth] = clients as [Credentials, Credentials, Credentials, Credentials];
  const all = [
    asking(first),
    asking(second, { scope: 'files.read email openid' }),
    asking(second, { scope: 'files.read', resource: FEW }),
    asking(third, { scope: 'files.read email', resource: API }),
    asking(fourth, { scope: 'profile' }),
  ];
  for (const sent of all) {
    const [short, whole] = [
      await send(postern.url, sent),
      await send(postern.url, { ...sent, path: wholeWay('/token') }),
    ];
    t.deepEqual([short.status, whole.status], [200, 200]);
    t.deepEqual(await remembered(short.text), await remembered(whole.text));
  }
});

test.serial('what came of it can be refreshed and introspected', async (t) => {
  const client = clients[1]!;
  const { text } = await send(postern.url, asking(client));
  const { access_token, refresh_token } = JSON.parse(text) as Record<string, string>;
  const headers = { ...plain([]).headers, authorization: basic(client) };
  const ask = (path: string, pairs: Pairs) => send(postern.url, { method: 'POST', path, ...plain(pairs), headers });
  t.like(JSON.parse((await ask('/introspect', [['token', access_token!]])).text), { active: true });
  const refreshed = await ask('/token', [
    ['grant_type', 'refresh_token'],
    ['refresh_token', refresh_token!],
  ]);
  t.is(refreshed.status, 200);
  t.true('id_token' in JSON.parse(refreshed.text));
});

test.serial('the short way answers what is granted, and gives everything else on untouched', async (t) => {
  const { url, heard } = await shortWaysOf(t, postern);
  for (const sent of [
    asking(clients[0]!),
    asking(clients[1]!, { scope: 'files.read' }),
    asking(clients[3]!),
    asking(clients[0]!, { username: 'odd+sign@example.com', password: ODD }),
  ])
    t.is((await send(url, sent)).status, 200);
  t.deepEqual(heard, { told: 4, issued: 4 });
  for (const sent of [
    asking(clients[0]!, { password: 'wrong' }),
    asking(clients[0]!, { username: 'careful@example.com' }),
    asking(clients[0]!, { scope: 'files.read' }),
    asking(clients[4]!),
    asking(clients[5]!),
  ]) {
    const { status, text } = await send(url, sent);
    t.deepEqual([status, text], [418, digest(sent.body ?? '')]);
  }
  t.deepEqual(heard, { told: 4, issued: 4 });
});

test.serial('what a failing store may have done is not begun again', async (t) => {
  const { store, domain } = postern;
  const commit = () => Promise.reject(new StoreUnavailable('nobody knows'));
  const failing = { get: store.get.bind(store), find: store.find.bind(store), commit } as unknown as Store;
  const { url } = await shortWaysOf(t, { ...postern, domain, store: failing });
  t.is((await send(url, asking(clients[0]!))).status, 503);
});

const WAYS = ['/token', wholeWay('/token')];

/** The sentence of an answer's error. */
const said = (text: string) => (JSON.parse(text) as { error_description?: string }).error_description;

for (const path of WAYS) {
  test.serial(`a wrong password counts as one guess at ${path}`, async (t) => {
    const server = await startPostern({ env: { POSTERN_GUESSES_ACCOUNT: '3' } });
    t.teardown(() => server.close());
    await addPerson(server);
    const { id, secret = '' } = await addClient(server, { passwordGrant: true });
    const guess = (password: string) => send(server.url, { ...asking({ id, secret }, { password }), path });
    for (const password of ['wrong', 'worse']) t.is((await guess(password)).status, 400);
    for (const _ of [1, 2]) t.is((await guess(PASSWORD)).status, 200);
    t.is((await guess('worst')).status, 400);
    const { status, headers } = await guess(PASSWORD);
    t.is(status, 429);
    t.true(Number(headers['retry-after']) > 0);
  });

  test.serial(
    `whoever changes their password while it is looked at gets no tokens for the old one at ${path}`,
    async (t) => {
      const server = await startPostern();
      t.teardown(() => server.close());
      const { accounts } = server.domain;
      const { id: personId } = await addPerson(server);
      const { id, secret = '' } = await addClient(server, { passwordGrant: true });
      const { authenticate } = accounts;
      accounts.authenticate = async (...given) => {
        const person = await authenticate(...given);
        await accounts.setPassword(personId, ODD);
        return person;
      };
      const { status, text } = await send(server.url, { ...asking({ id, secret }), path });
      t.deepEqual([status, said(text)], [400, 'grant request is invalid']);
      const { rows } = await server.store.stats();
      t.is(rows.refresh_tokens, 0);
    },
  );

  test.serial(`an application that an operator takes it from meanwhile gets no tokens at ${path}`, async (t) => {
    const { accounts, clients: all } = postern.domain;
    const { authenticate } = accounts;
    t.teardown(() => Object.assign(accounts, { authenticate }));
    for (const [end, error] of [
      [all.remove, 'invalid_client'],
      [(id: string) => all.update(id, { passwordGrant: false }), 'unauthorized_client'],
    ] as const) {
      const { id: personId, email } = await addPerson(postern, `${error}-${WAYS.indexOf(path)}@example.com`);
      const { id, secret = '' } = await addClient(postern, { passwordGrant: true });
      accounts.authenticate = async (...given) => {
        const person = await authenticate(...given);
        await end(id);
        return person;
      };
      const { text } = await send(postern.url, { ...asking({ id, secret }, { username: email }), path });
      t.is((JSON.parse(text) as { error?: string }).error, error);
      t.deepEqual((await postern.store.find('refresh_tokens', 'accountId', personId)).rows, []);
    }
  });
}
