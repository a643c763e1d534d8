/**
 * Codes and refresh tokens are redeemed by a short way in front of everything (src/short/codes.ts, refresh.ts), as the
 * engine redeems them. What is presented can be used once, so each way gets a copy of its own, with a grant and a session
 * of its own, made from the rows of real sign-ins.
 */
import test from 'ava';
import fc from 'fast-check';
import { decodeJwt } from 'jose';
import { signJwt } from '../../src/engine/jwt.ts';
import { minutes, newSecret, sha256 } from '../../src/lib/index.ts';
import { type Artifact, type Change, type Row, type Store, StoreUnavailable } from '../../src/store/index.ts';
import { overhear, RUNS, SEED, sameBothWays, wholeWay } from '../support/both-ways.ts';
import { type Pairs, rarely, type Sent, send } from '../support/hostile.ts';
import {
  type Changed,
  claimsOf,
  copyOf,
  defined,
  type Kept,
  keepSignIn,
  minutesBetween,
  type Opened,
  openedOf,
  rowOf,
} from '../support/kept-sign-ins.ts';
import { addClient, addPerson, CALLBACK, PASSWORD, type Postern } from '../support/postern.ts';
import { basic, type Credentials, escaped, HEADERS, plain, proof, word } from '../support/program-requests.ts';
import { digest, shortWaysOf } from '../support/short-ways.ts';

type Kind = 'authorization_code' | 'refresh_token';
const MODEL = { authorization_code: 'AuthorizationCode', refresh_token: 'RefreshToken' } as const;
const TABLE = { authorization_code: 'authorization_codes', refresh_token: 'refresh_tokens' } as const;
const API = 'https://files.example.com';

const overheard = overhear(test);
let postern: Postern;
let opened: Opened;
let clients: Credentials[];
const kept: Kept<Credentials>[] = [];

test.serial.before(async () => {
  ({ postern } = overheard);
  opened = openedOf(postern);
  await postern.domain.resources.add({ uri: API, scopes: ['files.read', 'files.write'] });
  await addPerson(postern);
  await postern.domain.accounts.add({ email: 'bob@example.com', password: PASSWORD });
  const web = (more: object = {}) => addClient(postern, { firstParty: true, ...more });
  const added = [
    await web(),
    await web({ firstParty: false, resources: [API] }),
    await web({ resources: [API], scopes: ['files.read', 'email'] }),
    await web({ type: 'native' }),
  ];
  clients = added.map(({ id, secret = '' }) => ({ id, secret }));
  const [first, second, third, fourth] = clients as [Credentials, Credentials, Credentials, Credentials];
  kept.push(
    await keepSignIn(postern, first, 'openid profile email'),
    await keepSignIn(postern, first, 'openid email', 'bob@example.com'),
    await keepSignIn(postern, second, 'email openid files.write offline_access files.read', undefined, {
      resource: API,
      prompt: 'consent',
    }),
    await keepSignIn(postern, second, 'openid files.read', undefined, { resource: API }),
    await keepSignIn(postern, third, 'openid email files.read'),
    await keepSignIn(postern, fourth, 'openid profile'),
  );
});

interface Alteration extends Changed {
  readonly token?: object;
  readonly used?: true;
  readonly gone?: 'token' | 'grant' | 'session';
}

const LONG_AGO = 1_000_000_000;
/** Rows are kept a little longer than what is in them is good for. */
const JUST_NOW = Math.floor(Date.now() / 1000) - 1;

/** What may have become of a sign-in meanwhile, or may be in it that only the engine knows. */
const ALTERATIONS: readonly Alteration[] = [
  { token: { exp: LONG_AGO } },
  { token: { exp: JUST_NOW } },
  { token: { clientId: 'cli_nobody' } },
  { token: { accountId: 'usr_nobody' } },
  { token: { grantId: 'nobody' } },
  { token: { jkt: 'a-thumbprint', dpopJkt: 'a-thumbprint' } },
  { token: { claims: { id_token: { email: null } } } },
  { token: { claims: {} } },
  { token: { nonce: undefined, acr: undefined, amr: undefined, authTime: undefined } },
  { token: { acr: 'urn:x', amr: ['pwd', 'otp'], authTime: 1_700_000_000 } },
  { token: { resource: undefined } },
  { token: { resource: [] } },
  { token: { resource: [API] } },
  { token: { resource: 'https://nobody.example.com' } },
  { token: { scope: 'openid' } },
  { token: { scope: 'openid nonsense files.read' } },
  { token: { scope: 'files.read email', nonce: undefined } },
  { token: { scope: undefined } },
  { token: { expiresWithSession: true } },
  { token: { expiresWithSession: false } },
  { token: { expiresWithSession: true, sessionUid: undefined } },
  { token: { sid: undefined } },
  { token: { iiat: LONG_AGO } },
  { token: { iiat: undefined } },
  { token: { rotations: undefined } },
  { token: { gty: 'password' } },
  { token: { gty: undefined } },
  { token: { codeChallengeMethod: 'plain' } },
  { token: { codeChallenge: undefined } },
  { token: { redirectUri: 'https://elsewhere.example.com' } },
  { grant: { exp: LONG_AGO } },
  { grant: { exp: JUST_NOW } },
  { grant: { clientId: 'cli_nobody' } },
  { grant: { accountId: 'usr_nobody' } },
  { grant: { openid: undefined } },
  { grant: { resources: undefined } },
  { grant: { openid: { scope: 'email', claims: ['email'] } } },
  { grant: { rejected: { openid: { scope: 'email' } } } },
  { session: { accountId: 'usr_nobody' } },
  { session: { authorizations: {} } },
  { session: { authorizations: undefined } },
  { used: true },
  { gone: 'token' },
  { gone: 'grant' },
  { gone: 'session' },
];

/** Puts a copy of a sign-in into the store, and gives what is presented to go on with it. */
async function copy(kind: Kind, signed: Kept<Credentials>, change: Alteration = {}): Promise<string> {
  const id = newSecret();
  const { grantId, uid, rows: others } = copyOf(opened, signed, change);
  const payload = { ...signed.payloads[kind], jti: id, grantId, sessionUid: uid, ...change.token };
  const token = opened.seal(MODEL[kind], id, defined(payload));
  const rows: Record<'token' | 'grant' | 'session', Change> = {
    token: {
      ...token,
      record: { ...token.record, ...(change.used && { consumedAt: Date.now() - 3_600_000 }) },
    } as Change,
    ...others,
  };
  const { gone } = change;
  await postern.store.commit(Object.entries(rows).flatMap(([part, row]) => (part === gone ? [] : [row])));
  if (kind === 'authorization_code') return id;
  const [iat, exp] = [payload.iat, payload.exp];
  const { issuer: iss } = postern;
  return signJwt(postern.domain.keys, 'rt+jwt', { iss, aud: iss, client_id: signed.client.id, jti: id, iat, exp });
}

const form = (kind: Kind, { verifier }: Kept<Credentials>, value: string): Pairs => [
  ['grant_type', kind],
  ...(kind === 'refresh_token'
    ? ([['refresh_token', value]] as const)
    : ([
        ['code', value],
        ['redirect_uri', CALLBACK],
        ['code_verifier', verifier],
      ] as const)),
];

/** What is asked wrongly, or for more than the plain answer. */
const ASKED: readonly ((pairs: Pairs) => Pairs)[] = [
  (pairs) => [...pairs, ['scope', 'openid']],
  (pairs) => [...pairs, ['resource', API]],
  (pairs) => [...pairs, ['unknown', 'parameter']],
  (pairs) => pairs.slice(0, -1),
  (pairs) => pairs.map(([name, value], at) => [name, at === pairs.length - 1 ? `${value}x` : value]),
  (pairs) => pairs.map(([name, value]) => [name, name === 'redirect_uri' ? `${value}/` : value]),
  (pairs) => [...pairs, pairs.at(-1)!],
  (pairs) => pairs.map(([name, value]) => [name, name === 'grant_type' ? 'client_credentials' : value]),
];

const samples = () =>
  fc.record({
    kind: fc.constantFrom<Kind>('authorization_code', 'refresh_token'),
    which: fc.nat({ max: kept.length - 1 }),
    change: rarely(fc.constantFrom(...ALTERATIONS)),
    asked: rarely(fc.constantFrom(...ASKED)),
    headers: rarely(fc.constantFrom(...HEADERS)),
    value: word(fc.constant('')),
    stranger: rarely(fc.nat({ max: clients.length - 1 })),
  });

const KINDS = ['authorization_code', 'refresh_token'] as const;
const same = (pairs: Pairs): Pairs => pairs;

/** Requests of which each has a copy of its own for either way. */
async function twice(make: () => Promise<Sent>): Promise<[Sent, Sent]> {
  return [await make(), await make()];
}

const usual = async (kind: Kind, signed: Kept<Credentials>, change: Alteration = {}, asked = same): Promise<Sent> =>
  presenting(kind, signed, await copy(kind, signed, change), { asked });

test.serial(
  'whatever became of a sign-in, and whatever is wrong with the request, it is the same either way',
  async (t) => {
    const pairs: [Sent, Sent][] = [];
    for (const kind of KINDS) {
      for (const signed of kept) {
        for (const change of [{}, ...ALTERATIONS]) pairs.push(await twice(() => usual(kind, signed, change)));
        for (const asked of ASKED) pairs.push(await twice(() => usual(kind, signed, {}, asked)));
      }
    }
    const [short, whole] = [pairs.map(([one]) => one), pairs.map(([, other]) => other)];
    const answers = await sameBothWays(t, overheard, short, { again: whole });
    const good = answers.filter(({ status }) => status === 200).length;
    t.true(good > pairs.length / 10 && good < pairs.length * 0.7, `${good} of ${pairs.length} were granted`);
  },
);

test.serial(
  'whatever became of the application, the person or the API meanwhile, it is the same either way',
  async (t) => {
    const { accounts, clients: registered, resources } = postern.domain;
    const [few, ttl] = ['https://few.example.com', 'https://short.example.com'];
    await resources.add({ uri: few, scopes: ['files.read'], revocable: true });
    await resources.add({ uri: ttl, scopes: ['files.read', 'files.write'], ttl: minutes(3) });
    const add = async (more: object = {}): Promise<Credentials> => {
      const { id, secret = '' } = await addClient(postern, { firstParty: true, ...more });
      return { id, secret };
    };
    const old = await add();
    const { secret } = await registered.rotateSecret(old.id, { keepOldFor: minutes(10) });
    const removed = await add();
    await registered.remove(removed.id);
    const applications: Record<string, Credentials> = {
      'with few scopes': await add({ resources: [API], scopes: ['email', 'files.write'] }),
      'with other scopes': await add({ scopes: ['profile', 'x'] }),
      'with two APIs': await add({ resources: [few, API, ttl] }),
      'without a secret': await add({ type: 'spa', resources: [API, few] }),
      'of third parties': await add({ firstParty: false, resources: [API] }),
      'that needs two factors': await add({ acrValues: ['urn:postern:acr:two-factor'], resources: [API] }),
      'that signs nobody in': await add({ redirectUris: [], passwordGrant: true, resources: [API] }),
      'that takes passwords too': await add({ passwordGrant: true, resources: [API] }),
      service: await add({ type: 'service', redirectUris: [], resources: [API] }),
      'by its old secret': old,
      'by its new secret': { id: old.id, secret },
      removed,
    };
    const person = (name: string) => addPerson(postern, `${name}@example.com`, name);
    const people = {
      disabled: await person('disabled'),
      removed: await person('removed'),
      renamed: await person('renamed'),
    };
    await accounts.setDisabled(people.disabled.id, true);
    await accounts.remove(people.removed.id);
    await accounts.rename(people.renamed.id, 'Zoë 🔐');
    const of = (client: Credentials): Alteration => ({
      token: { clientId: client.id },
      grant: { clientId: client.id },
    });
    const wide = {
      openid: { scope: 'openid email profile offline_access' },
      resources: Object.fromEntries(
        [API, few, ttl].map((uri) => [uri, 'openid email profile files.read files.write x']),
      ),
    };
    const scope = 'openid files.write email profile files.read x';
    const cases: [Kept<Credentials>, Alteration][] = [];
    for (const signed of [kept[0]!, kept[2]!]) {
      for (const client of Object.values(applications)) {
        const theirs = { ...signed, client };
        cases.push([theirs, of(client)]);
        for (const resource of [API, few, ttl, [ttl, API], `${postern.issuer}/api`])
          cases.push([
            theirs,
            { token: { clientId: client.id, resource, scope }, grant: { clientId: client.id, ...wide } },
          ]);
      }
      for (const { id } of Object.values(people))
        cases.push([signed, { token: { accountId: id }, grant: { accountId: id }, session: { accountId: id } }]);
    }
    const pairs: [Sent, Sent][] = [];
    for (const kind of KINDS)
      for (const [signed, change] of cases) pairs.push(await twice(() => usual(kind, signed, change)));
    const answers = await sameBothWays(
      t,
      overheard,
      pairs.map(([one]) => one),
      { again: pairs.map(([, other]) => other) },
    );
    const good = answers.filter(({ status }) => status === 200).length;
    t.true(good > pairs.length / 5 && good < pairs.length * 0.8, `${good} of ${pairs.length} were granted`);
  },
);

test.serial(
  'codes and refresh tokens of anybody, presented by anybody, are redeemed the same either way',
  async (t) => {
    const runs = Math.ceil(RUNS / 5);
    t.log(`seed ${SEED}, ${runs} requests`);
    const pairs: [Sent, Sent][] = [];
    const random = fc.tuple(samples(), proof(fc.constant({ id: 'ID', secret: 'SECRET' })));
    for (const [{ kind, which, change, asked, headers, value, stranger }, by] of fc.sample(random, {
      numRuns: runs,
      seed: SEED,
    })) {
      const signed = kept[which]!;
      const who = stranger === null ? signed.client : clients[stranger]!;
      const named = by.pairs.map(([name, text]) => [name, spelled(text, who)] as const);
      pairs.push(
        await twice(async () => {
          const real = await copy(kind, signed, change ?? {});
          const dress = plain([...(asked ?? same)(form(kind, signed, value || real)), ...named]);
          return {
            method: 'POST',
            path: '/token',
            ...dress,
            headers: { ...dress.headers, ...proven(by.headers, who), ...headers },
          };
        }),
      );
    }
    const answers = await sameBothWays(
      t,
      overheard,
      pairs.map(([one]) => one),
      { again: pairs.map(([, other]) => other) },
    );
    const good = answers.filter(({ status }) => status === 200).length;
    t.true(good > runs / 20 && good < runs * 0.8, `${good} of ${runs} were granted`);
  },
);

const spelled = (text: string, { id, secret }: Credentials) => text.replace('ID', id).replace('SECRET', secret);

function proven({ authorization }: { authorization?: string | undefined }, who: Credentials): Record<string, string> {
  if (authorization === undefined) return {};
  const [scheme, rest = ''] = authorization.split(/ (?=\S+$)/);
  const plainText = Buffer.from(rest, 'base64').toString();
  return { authorization: `${scheme} ${Buffer.from(spelled(plainText, who)).toString('base64')}` };
}

const presenting = (
  kind: Kind,
  signed: Kept<Credentials>,
  value: string,
  { asked = same, path = '/token' } = {},
): Sent => {
  const { id, secret } = signed.client;
  const dress = plain(asked([...(secret ? [] : [['client_id', id] as const]), ...form(kind, signed, value)]));
  const authorization = secret ? { authorization: basic(signed.client) } : {};
  return { method: 'POST', path, ...dress, headers: { ...dress.headers, ...authorization } };
};

/** What the store keeps of a redemption, chance and time taken out. */
async function remembered(kind: Kind, presented: string, text: string) {
  const { access_token, refresh_token } = JSON.parse(text) as Record<string, string>;
  const usedId = kind === 'refresh_token' ? claimsOf(presented).jti : presented;
  const used = await rowOf(postern, TABLE[kind], usedId);
  const successor = await rowOf(postern, 'refresh_tokens', claimsOf(refresh_token!).jti);
  const open = (table: 'access_tokens' | 'refresh_tokens', row: Row<Artifact>) => {
    const { jti, grantId, sessionUid, iat, exp, iiat, ...rest } = opened.open(table, row) as unknown as Record<
      string,
      number
    >;
    const { sealed, grantId: _, ...record } = row.record;
    return {
      rest,
      record,
      lives: minutesBetween(iat!, exp!),
      kept: row.expiresAt! / 1000 - exp!,
      since: kind === 'refresh_token' ? iiat : iiat && minutesBetween(iiat, iat!),
      long: [jti, grantId, sessionUid].map((id) => String(id).length),
    };
  };
  return {
    isSuccessor: used.record.successor === successor.id,
    used: used.record.consumedAt !== undefined,
    access: open('access_tokens', await rowOf(postern, 'access_tokens', claimsOf(access_token!).jti)),
    refresh: open('refresh_tokens', successor),
  };
}

const keptAnswerOf = (token: string) => postern.store.get('refresh_answers', sha256(claimsOf(token).jti));

test.serial('what the store keeps of it is the same either way, and a retry gets the same answer again', async (t) => {
  for (const kind of KINDS) {
    for (const signed of kept) {
      const [one, other] = [await copy(kind, signed), await copy(kind, signed)];
      const [short, whole] = [
        await send(postern.url, presenting(kind, signed, one)),
        await send(postern.url, presenting(kind, signed, other, { path: wholeWay('/token') })),
      ];
      t.deepEqual(await remembered(kind, one, short.text), await remembered(kind, other, whole.text), kind);
      if (kind === 'authorization_code') continue;
      // The whole way keeps its answer, the short way has it made again.
      for (const [presented, { text }] of [[one, short] as const, [other, whole] as const])
        t.is((await send(postern.url, presenting(kind, signed, presented))).text, text);
      t.is(await keptAnswerOf(one), undefined);
      t.truthy(await keptAnswerOf(other));
    }
  }
});

test.serial(
  'of twenty at once, by both ways mixed, one redeems a code and all get one answer to a refresh',
  async (t) => {
    for (const signed of kept) {
      const twenty = async (kind: Kind) => {
        const value = await copy(kind, signed);
        return Promise.all(
          Array.from({ length: 20 }, (_, n) =>
            send(postern.url, presenting(kind, signed, value, { path: n % 2 ? '/token' : '/Token' })),
          ),
        );
      };
      const redeemed = await twenty('authorization_code');
      t.is(redeemed.filter(({ status }) => status === 200).length, 1);
      const refreshed = await twenty('refresh_token');
      t.deepEqual([...new Set(refreshed.map(({ status }) => status))], [200]);
      t.is(new Set(refreshed.map(({ text }) => text)).size, 1);
    }
  },
);

test.serial('the short ways answer all of what is granted, and give on what was used', async (t) => {
  const { url, heard } = await shortWaysOf(t, postern);
  for (const kind of KINDS) {
    for (const signed of kept) {
      const sent = await usual(kind, signed);
      t.is((await send(url, sent)).status, 200);
      const { status, text } = await send(url, sent);
      t.deepEqual([status, text], [418, digest(sent.body ?? '')]);
      const authorization = { authorization: basic(escaped(signed.client)) };
      const { origin } = new URL(CALLBACK);
      const { headers, ...another } = await usual(kind, signed);
      const given = await send(url, {
        ...another,
        headers: { ...headers, origin, ...(signed.client.secret && authorization) },
      });
      t.is(given.status, 200, 'by a page of the application’s own, its secret escaped more than need be');
      t.is(given.headers['access-control-allow-origin'], origin);
    }
  }
  t.deepEqual(heard, { told: 4 * kept.length, issued: 4 * kept.length });
});

test.serial('a retry whose access token is not there any more gets another one and the same successor', async (t) => {
  for (const signed of kept) {
    const sent = await usual('refresh_token', signed);
    const ask = async () => JSON.parse((await send(postern.url, sent)).text) as Record<string, string>;
    const first = await ask();
    const { id } = await rowOf(postern, 'access_tokens', claimsOf(first['access_token']!).jti);
    await postern.store.commit([{ remove: 'access_tokens', id }]);
    const again = await ask();
    t.is(again['refresh_token'], first['refresh_token']);
    t.not(again['access_token'], first['access_token']);
    t.truthy(await rowOf(postern, 'access_tokens', claimsOf(again['access_token']!).jti));
  }
});

test.serial('what became of the person’s name since is told to whoever retries, in the same tokens', async (t) => {
  const [signed] = kept as [Kept<Credentials>];
  const sent = await usual('refresh_token', signed);
  const ask = async () => JSON.parse((await send(postern.url, sent)).text) as Record<string, string>;
  const first = await ask();
  const { accountId } = signed.payloads.refresh_token as { accountId: string };
  await postern.domain.accounts.update(accountId, { name: 'Countess' });
  const { id_token, ...again } = await ask();
  const { id_token: before, ...same } = first;
  t.deepEqual(again, same);
  const { name, updated_at, ...rest } = decodeJwt(id_token!);
  t.is(name, 'Countess');
  const { name: _, updated_at: __, ...others } = decodeJwt(before!);
  t.deepEqual(rest, others);
});

test.serial('what a failing store may have done is not begun again', async (t) => {
  const { store } = postern;
  const commit = () => Promise.reject(new StoreUnavailable('nobody knows'));
  const failing = { get: store.get.bind(store), find: store.find.bind(store), commit } as unknown as Store;
  const { url } = await shortWaysOf(t, { ...postern, store: failing });
  for (const kind of KINDS) t.is((await send(url, await usual(kind, kept[0]!))).status, 503);
});
