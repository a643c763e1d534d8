/**
 * Somebody who is signed in and has allowed all of it before is sent back with a code by a short way
 * (src/short/authorizations.ts), as the engine sends them. Each request has a copy of a sign-in for either way, with a
 * session and a grant of its own.
 */
import test from 'ava';
import fc from 'fast-check';
import { sidOf } from '../../src/domain/index.ts';
import { days, hours, seconds, sha256 } from '../../src/lib/index.ts';
import type { Change } from '../../src/store/index.ts';
import { API, inBrowser, MONTH, OTHER, type Request, requestsBy, set } from '../support/authorization-requests.ts';
import { overhear, RUNS, SEED, sameBothWays, wholeWay } from '../support/both-ways.ts';
import type { Registered } from '../support/client.ts';
import { hostileText, type Pairs, type Reply, rarely, type Sent, send, spoiled } from '../support/hostile.ts';
import {
  type Changed,
  cookiesOf,
  copyOf,
  type Kept,
  keepSignIn,
  minutesBetween,
  type Opened,
  openedOf,
  remember,
  rowOf,
} from '../support/kept-sign-ins.ts';
import { addClient, addPerson, CALLBACK, type Postern } from '../support/postern.ts';
import { giveApp, ONE, TWO } from '../support/second-factor.ts';
import { digest, shortWaysOf } from '../support/short-ways.ts';

const overheard = overhear(test);
let postern: Postern;
let opened: Opened;
let cookieOf: (sessionId: string) => string;

/** Clients and people that a copy can be made out to, by what is special about them. */
let clients: Record<string, Registered>;
let people: Record<string, { readonly id: string }>;
const kept: Kept[] = [];

test.serial.before(async () => {
  ({ postern } = overheard);
  const { domain } = postern;
  opened = openedOf(postern);
  cookieOf = cookiesOf(postern);
  await domain.resources.add({ uri: API, scopes: ['files.read', 'files.write'] });
  await domain.resources.add({ uri: OTHER, scopes: ['notes.read'] });
  const web = (more: object = {}) => addClient(postern, { firstParty: true, resources: [API], ...more });
  clients = {
    own: await web(),
    others: await web({ firstParty: false }),
    'several resources': await web({ firstParty: false, resources: [OTHER, API] }),
    'of no resource': await web({ resources: [] }),
    'of few scopes': await web({ scopes: ['email', 'files.read'] }),
    'that asks for one factor': await web({ acrValues: [ONE] }),
    'that asks for two factors': await web({ acrValues: [TWO] }),
    'that hears of sign-outs': await web({
      backchannelLogoutUri: 'https://app.example/out',
      backchannelLogoutSessionRequired: true,
    }),
    'that hears of sign-outs, but not whose': await web({ backchannelLogoutUri: 'https://app.example/out' }),
    'for one page': await web({ type: 'spa', firstParty: false }),
    'on a phone': await web({ type: 'native' }),
    'that takes passwords': await web({ redirectUris: [], passwordGrant: true }),
    'that answers elsewhere': await web({ redirectUris: ['https://app.example/'] }),
    'with words in its address': await web({ redirectUris: [CALLBACK, `${CALLBACK}?a=b&code=no`, `${CALLBACK}/it's`] }),
    service: await addClient(postern, { type: 'service', redirectUris: [], resources: [API] }),
  };
  const person = (name: string) => addPerson(postern, `${name}@example.com`, name);
  people = {
    ada: await person('ada'),
    'with an app': await person('with-an-app'),
    disabled: await person('disabled'),
    removed: await person('removed'),
  };
  await giveApp(postern, people['with an app']!);
  await domain.accounts.setDisabled(people['disabled']!.id, true);
  await domain.accounts.remove(people['removed']!.id);
  kept.push(
    await keepSignIn(postern, clients['own']!, 'openid profile email'),
    await keepSignIn(postern, clients['own']!, 'openid files.read', undefined, { resource: API }),
    await keepSignIn(postern, clients['others']!, 'email openid files.write files.read'),
    await keepSignIn(postern, clients['several resources']!, 'openid files.read', undefined, { resource: API }),
  );
  await remember(postern, kept[2]!, { accountId: people['ada']!.id, clientId: clients['for one page']!.id });
});

/** Seconds from now. */
const at = (from: number): number => Math.floor(Date.now() / 1000) + from / 1000;

interface Alteration extends Changed {
  readonly client?: string;
  readonly person?: string;
  /** What is stored of this client in the session. */
  readonly entry?: object;
  readonly gone?: 'grant' | 'session';
}

/** What may have become of a sign-in meanwhile, or may be in it that only the engine knows. */
const alterations = (): readonly Alteration[] => [
  {},
  ...Object.keys(clients).map((client) => ({ client })),
  ...Object.keys(people).map((person) => ({ person })),
  { person: 'with an app', session: { amr: ['pwd', 'otp', 'mfa'], acr: TWO } },
  { client: 'that asks for two factors', session: { amr: ['pwd', 'hwk', 'mfa'], acr: 'phr' } },
  { session: { exp: at(-days(1)) } },
  { session: { exp: at(hours(1)) } },
  { session: { exp: at(days(400)) } },
  { session: { accountId: undefined } },
  { session: { accountId: 'usr_nobody' } },
  { session: { acr: undefined, amr: undefined, loginTs: undefined } },
  { session: { acr: 'urn:x', amr: [] } },
  { session: { amr: ['pwd', 'otp', 'mfa'], acr: TWO, loginTs: at(-days(3)) } },
  { session: { transient: true } },
  { session: { state: { secret: 'x', clientId: 'y' } } },
  { session: { unknown: 'word' } },
  { session: { kind: 'Grant' } },
  { session: { format: 'jwt' } },
  { session: { authorizations: undefined } },
  { session: { authorizations: {} } },
  { session: { authorizations: { cli_other: { grantId: 'x', sid: 'y' } } } },
  { entry: { sid: 'another' } },
  { entry: { sid: undefined } },
  { entry: { grantId: 'nobody' } },
  { entry: { grantId: undefined } },
  { entry: { persistsLogout: true } },
  { grant: { exp: at(-days(1)) } },
  { grant: { exp: at(hours(1)) } },
  { grant: { accountId: 'usr_nobody' } },
  { grant: { clientId: 'cli_nobody' } },
  { grant: { openid: undefined } },
  { grant: { openid: { scope: 'openid' } } },
  { grant: { openid: { scope: 'email offline_access openid profile', claims: ['email'] } } },
  { grant: { openid: { scope: 'email profile openid' } } },
  { grant: { resources: undefined } },
  { grant: { resources: { [API]: 'files.read' } } },
  { grant: { resources: { [API]: 'files.write openid files.read email profile', [OTHER]: 'notes.read' } } },
  { grant: { resources: { [OTHER]: 'files.read' } } },
  { grant: { rejected: { openid: { scope: 'email' } } } },
  { grant: { rar: [{ type: 'x' }] } },
  { grant: { unknown: 'word' } },
  { grant: { kind: 'Session' } },
  { gone: 'grant' },
  { gone: 'session' },
];

/** Puts a copy of a sign-in into the store, and gives the cookies of its browser. */
async function copy(signed: Kept, { client, person, entry, gone, ...change }: Alteration = {}) {
  const registered = client ? clients[client]! : signed.client;
  const { grantId, sessionId, uid, rows } = copyOf(
    opened,
    { ...signed, client: registered },
    {
      accountId: person && people[person]!.id,
      entry,
      grant: { clientId: registered.id, exp: at(MONTH + days(1)), ...change.grant },
      session: { exp: at(MONTH), ...change.session },
    },
  );
  const all: readonly [string, Change][] = Object.entries(rows);
  await postern.store.commit(all.flatMap(([part, row]) => (part === gone ? [] : [row])));
  return { grantId, sessionId, uid, cookie: cookieOf(sessionId) };
}

const pairsOf = ({ asked }: Kept, { client }: Alteration = {}): Pairs =>
  [...asked.searchParams].map(([name, value]) => [name, name === 'client_id' && client ? clients[client]!.id : value]);

const asking = (signed: Kept, cookie: string, change: Alteration = {}): Sent => ({
  method: 'GET',
  path: '/authorize',
  query: pairsOf(signed, change),
  headers: { cookie, accept: 'text/html' },
});

/** Requests of which each has a copy of its own for either way. */
async function bothWays(
  cases: readonly { readonly signed: Kept; readonly change?: Alteration; readonly ask?: Request }[],
) {
  const make = async ({ signed, change = {}, ask = (sent: Sent) => sent }: (typeof cases)[number]) =>
    ask(asking(signed, (await copy(signed, change)).cookie, change));
  const [short, again]: [Sent[], Sent[]] = [[], []];
  for (const one of cases) {
    short.push(await make(one));
    again.push(await make(one));
  }
  return { short, again };
}

const isCode = ({ status, body }: { status: number; body: string }) => status === 303 && body.includes('code=CODE');

test.serial('whatever became of a sign-in, and whatever is asked, it is answered the same either way', async (t) => {
  const [first, , asked] = kept as [Kept, Kept, Kept];
  const requests = requestsBy(cookieOf);
  const cases = [
    ...kept.map((signed) => ({ signed })),
    ...[first, asked].flatMap((signed) => alterations().map((change) => ({ signed, change }))),
    ...alterations().map((change) => ({ signed: asked, change, ask: set('prompt', 'none') })),
    ...requests.map((ask) => ({ signed: first, change: { client: 'with words in its address' }, ask })),
  ];
  const { short, again } = await bothWays(cases);
  const answers = await sameBothWays(t, overheard, short, { again, compare: inBrowser });
  const good = answers.filter(isCode).length;
  t.true(good > cases.length / 10 && good < cases.length * 0.7, `${good} of ${cases.length} were granted`);
});

test.serial('requests of anybody for anything are answered the same either way', async (t) => {
  const runs = Math.ceil(RUNS / 10);
  t.log(`seed ${SEED}, ${runs} requests`);
  const known = alterations();
  const requests = requestsBy(cookieOf);
  const random = fc.record({
    which: fc.nat({ max: kept.length - 1 }),
    change: rarely(fc.constantFrom(...known)),
    ask: fc.array(fc.constantFrom(...requests), { maxLength: 2 }),
    spoil: rarely(fc.nat()),
    text: rarely(hostileText()),
  });
  const cases = fc.sample(random, { numRuns: runs, seed: SEED }).map(({ which, change, ask, spoil, text }) => ({
    signed: kept[which]!,
    change: change ?? {},
    ask(sent: Sent): Sent {
      const asked = ask.reduce((so_far, next) => next(so_far), sent);
      const { query = [], ...rest } = text === null ? asked : set('state', text)(asked);
      if (spoil === null || query.length === 0) return { ...rest, query };
      return { ...rest, query: fc.sample(spoiled(fc.constant(query)), { numRuns: 1, seed: spoil })[0]! };
    },
  }));
  const { short, again } = await bothWays(cases);
  const answers = await sameBothWays(t, overheard, short, { again, compare: inBrowser });
  const good = answers.filter(isCode).length;
  t.true(good > runs / 20 && good < runs * 0.9, `${good} of ${runs} were granted`);
});

const codeIn = ({ headers }: Reply): string | undefined =>
  URL.parse(String(headers['location']))?.searchParams.get('code') ?? undefined;

/** What the store keeps of an answer, chance and time taken out. */
async function remembered(answer: Reply, { grantId, sessionId, uid }: Awaited<ReturnType<typeof copy>>) {
  const mine = (text: string) =>
    text
      .replaceAll(grantId, 'GRANT')
      .replaceAll(sidOf(grantId), 'SID')
      .replaceAll(sessionId, 'SESSION')
      .replaceAll(uid, 'UID');
  const open = async (table: 'authorization_codes' | 'sessions' | 'grants', id: string) => {
    const row = await rowOf(postern, table, id);
    const { iat = 0, exp = 0, jti, ...rest } = opened.open(table, row);
    const { sealed, ...record } = row.record;
    return {
      payload: JSON.parse(mine(JSON.stringify(rest))) as unknown,
      record: JSON.parse(mine(JSON.stringify(record)).replaceAll(sha256(uid), 'HASHED')) as unknown,
      lives: minutesBetween(at(0), exp),
      since: minutesBetween(iat, at(0)),
      kept: row.expiresAt! / 1000 - exp,
      long: jti?.length,
    };
  };
  const place = await postern.store.get('session_places', sha256(uid));
  const { signedInAt, lastSeenAt, ...seen } = place!.record;
  return {
    code: await open('authorization_codes', codeIn(answer)!),
    session: await open('sessions', sessionId),
    grant: await open('grants', grantId),
    seen,
  };
}

test.serial('what the store keeps of it is the same either way', async (t) => {
  const long = { grant: { exp: at(hours(1)) }, session: { exp: at(hours(2)) } };
  const unknown = { grant: { exp: at(hours(1)), unknown: 'word' }, session: long.session };
  for (const signed of kept) {
    for (const change of [
      {},
      long,
      unknown,
      // The engine lets them go on for a few seconds more.
      { session: { exp: at(-seconds(1)) } },
      { grant: { exp: at(-seconds(1)) } },
      { client: 'that hears of sign-outs' },
      { session: { amr: ['pwd', 'hwk', 'mfa'] } },
    ]) {
      const [one, other] = [await copy(signed, change), await copy(signed, change)];
      const [short, whole] = [
        await send(postern.url, asking(signed, one.cookie, change)),
        await send(postern.url, { ...asking(signed, other.cookie, change), path: wholeWay('/authorize') }),
      ];
      t.deepEqual(await remembered(short, one), await remembered(whole, other), JSON.stringify(change));
    }
  }
});

test.serial('the short way answers whoever is to be sent back with a code, and gives all others on', async (t) => {
  const { url, heard } = await shortWaysOf(t, postern);
  const granted = [
    {},
    { client: 'others' },
    { client: 'of few scopes' },
    { client: 'that asks for one factor' },
    { client: 'that hears of sign-outs' },
    { client: 'for one page' },
    { person: 'with an app', session: { amr: ['pwd', 'otp', 'mfa'], acr: TWO } },
    { session: { exp: at(hours(1)), transient: true } },
    { grant: { exp: at(hours(1)) } },
  ];
  const others = [
    { client: 'on a phone' },
    { person: 'disabled' },
    { person: 'with an app' },
    { gone: 'grant' as const },
  ];
  const signed = kept[1]!;
  for (const ask of [(sent: Sent) => sent, set('prompt', 'none')]) {
    heard.told = 0;
    for (const change of granted) {
      const { status } = await send(url, ask(asking(signed, (await copy(signed, change)).cookie, change)));
      t.is(status, 303, JSON.stringify(change));
    }
    t.is(heard.told, granted.length);
    for (const change of others) {
      const { status, text } = await send(url, ask(asking(signed, (await copy(signed, change)).cookie, change)));
      t.deepEqual([status, text], [418, digest('')], JSON.stringify(change));
    }
    t.is(heard.told, granted.length);
  }
});
