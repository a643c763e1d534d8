/**
 * Machine tokens are granted by a short way in front of everything (src/short/). `/Token` is the same
 * endpoint to the engine's router, and only the whole way knows it by that name: what is sent to both must be answered,
 * logged, counted and kept alike.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import { createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { audienceOf } from '../../src/engine/configuration.ts';
import { resourceServers } from '../../src/engine/resources.ts';
import { createFrontDesk, createLogger, inFront } from '../../src/http/index.ts';
import { days, minutes } from '../../src/lib/index.ts';
import { shortWays } from '../../src/short/index.ts';
import {
  dressed,
  encodePairs,
  hostileText,
  type Pairs,
  type Reply,
  type Sent,
  send,
  spoiled,
} from '../support/hostile.ts';
import { addClient, type Postern, startPostern } from '../support/postern.ts';
import { until } from '../support/until.ts';

const SEED = Number(process.env['POSTERN_FUZZ_SEED'] ?? 20_261_121);
const RUNS = Number(process.env['POSTERN_FUZZ_RUNS'] ?? 1500);
const API = 'https://files.example.com';
const RECORDED = 'https://secrets.example.com';
const SHARED = 'https://shared.example.com';

interface Credentials {
  readonly id: string;
  readonly secret: string;
}

let postern: Postern;
let services: Credentials[];
const lines: Record<string, unknown>[] = [];

test.before(async () => {
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  postern = await startPostern({ log: createLogger({ level: 'debug', destination }) });
  const { resources, clients } = postern.domain;
  await resources.add({ uri: API, scopes: ['files.read', 'files.write'], ttl: minutes(7) });
  await resources.add({ uri: RECORDED, scopes: ['files.read'], revocable: true });
  await resources.add({ uri: SHARED });
  const { publicKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  const service = (more: object) => addClient(postern, { type: 'service', redirectUris: [], ...more });
  const added = [
    await service({ resources: [API] }),
    await service({ resources: [API, SHARED, RECORDED], scopes: ['files.read'] }),
    await service({}),
    await service({ resources: [RECORDED, API] }),
    await service({ resources: [API], jwks: { keys: [jwk] } }),
    await addClient(postern, { resources: [API] }),
    await addClient(postern, { type: 'spa', redirectUris: ['https://app.example/'] }),
  ];
  services = added.map(({ id, secret }) => ({ id, secret: secret ?? 'none' }));
  const kept = await clients.rotateSecret(services[0]!.id, { keepOldFor: days(1) });
  services.push({ id: services[0]!.id, secret: kept.secret });
  const { id } = await service({ resources: [API] });
  services.push({ id, secret: (await clients.rotateSecret(id)).secret }, { id, secret: 'no longer it' });
});
test.after.always(() => postern.close());

const word = (arbitrary: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 19, arbitrary }, { weight: 1, arbitrary: hostileText() });

const basic = ({ id, secret }: Credentials) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

/** Credentials as parameters and as a header: one way mostly, sometimes none or both, sometimes not quite right. */
const proof = () =>
  fc
    .record({
      who: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: services.length - 1 })).map((n) => services[n]!),
      by: fc.constantFrom('header', 'header', 'header', 'header', 'form', 'form', 'both', 'id too', 'none'),
      spelled: fc.constantFrom(
        basic,
        basic,
        basic,
        basic,
        (who: Credentials) => basic(who).replace('Basic', 'bAsIC'),
        (who: Credentials) => basic(who).replaceAll('=', ''),
        (who: Credentials) => `${basic(who)}=`,
        (who: Credentials) => basic(who).replace(' ', '  '),
        (who: Credentials) => basic({ ...who, id: encodeURIComponent(who.id).replaceAll('_', '%5F') }),
        (who: Credentials) => basic({ ...who, secret: `${who.secret}x` }),
        (who: Credentials) => basic({ ...who, secret: `${who.secret}%` }),
        (who: Credentials) => basic({ ...who, secret: '' }),
        (who: Credentials) => basic({ id: 'cli_nobody', secret: who.secret }),
        (who: Credentials) => `Bearer ${who.secret}`,
      ),
    })
    .map(({ who, by, spelled }) => ({
      headers: ['header', 'both', 'id too'].includes(by) ? { authorization: spelled(who) } : {},
      pairs: [
        ...(['form', 'both', 'id too'].includes(by) ? [['client_id', who.id] as const] : []),
        ...(['form', 'both'].includes(by) ? [['client_secret', who.secret] as const] : []),
      ],
    }));

const GRANTS = [...Array<string>(9).fill('client_credentials'), 'password'];
const SCOPES = [
  'files.read',
  'files.write',
  'files.read files.write',
  'files.read files.read',
  'files.read  x',
  'openid',
];
const HEADERS: Record<string, string>[] = [
  { accept: 'text/html' },
  { origin: 'https://app.example' },
  { dpop: 'a.b.c' },
  { 'oauth-client-attestation': 'a.b.c' },
  { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-host': 'evil.example', host: 'evil.example' },
  { cookie: 'postern.session=x' },
  { connection: 'close' },
];

const plain = (pairs: Pairs) => ({
  body: encodePairs(pairs),
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
});

const requests = (): fc.Arbitrary<Sent> =>
  fc
    .record({
      proof: proof(),
      grant: word(fc.constantFrom(...GRANTS)),
      scope: fc.option(word(fc.constantFrom(...SCOPES)), { freq: 2 }),
      resource: fc.option(word(fc.constantFrom(API, API, SHARED, RECORDED, `${API}/`, `${postern.issuer}/api`)), {
        freq: 2,
      }),
      headers: fc.option(fc.constantFrom(...HEADERS), { freq: 1 }),
      wrong: fc.constantFrom('nothing', 'nothing', 'nothing', 'a parameter', 'the dress'),
    })
    .chain(({ proof, grant, scope, resource, headers, wrong }) => {
      const pairs: Pairs = [
        ['grant_type', grant],
        ...(scope === null ? [] : [['scope', scope] as const]),
        ...(resource === null ? [] : [['resource', resource] as const]),
        ...proof.pairs,
      ];
      return (wrong === 'a parameter' ? spoiled(fc.constant(pairs)) : fc.constant(pairs)).chain((given) =>
        (wrong === 'the dress' ? dressed(given) : fc.constant(plain(given))).map((dress) => ({
          method: 'POST',
          path: '/token',
          ...dress,
          headers: { ...dress.headers, ...proof.headers, ...headers },
        })),
      );
    });

/** Everything that may differ between two answers to one request taken out: chance, time, and the ids of refusals. */
function comparable({ status, headers, text }: Reply) {
  const { date: _, 'content-length': length, ...others } = headers;
  const body = JSON.parse(text) as Record<string, unknown>;
  const id = String(body['error_id'] ?? '');
  if (id) body['error_id'] = id.replace(/_.*/, '_…');
  // One sentence of the engine's names the path.
  if (body['error_description'])
    body['error_description'] = String(body['error_description']).replace('/Token', '/token');
  if (typeof body['access_token'] === 'string') {
    const [header, claims] = body['access_token'].split('.').map((part) => Buffer.from(part, 'base64url').toString());
    // As text first, so that the order of the claims is compared too.
    const { jti, iat, exp } = JSON.parse(claims!) as { jti: string; iat: number; exp: number };
    const rest = claims!
      .replace(jti, `${jti.length}`)
      .replace(`${iat}`, 'iat')
      .replace(`${exp}`, `iat + ${exp - iat}`);
    body['access_token'] = [header, rest];
  }
  return { status, headers: others, named: length !== undefined, body: JSON.stringify(body) };
}

/** What is counted and kept, after which a difference is what some requests did. */
async function effects() {
  const { text } = await postern.metrics.render();
  const counted = text.split('\n').filter((line) => /^postern_(tokens|http_requests)/.test(line));
  const { rows } = await postern.store.stats();
  return new Map<string, number>([
    ...counted.map((line) => [line.replace(/ \d+$/, ''), Number(/\d+$/.exec(line)?.[0])] as const),
    ...Object.entries(rows),
  ]);
}

const difference = (after: Map<string, number>, before: Map<string, number>) =>
  Object.fromEntries([...after].map(([name, n]) => [name, n - (before.get(name) ?? 0)]).filter(([, n]) => n !== 0));

test.serial(
  'thousands of honest and hostile requests are answered, logged, counted and kept the same either way',
  async (t) => {
    t.log(`seed ${SEED}, ${RUNS} requests`);
    const all = fc.sample(requests(), { numRuns: RUNS, seed: SEED });

    async function ask(path: string) {
      const before = await effects();
      const from = lines.length;
      const answered = () => lines.slice(from).filter(({ msg }) => msg === 'request').length;
      const answers: Reply[] = [];
      for (const sent of all) answers.push(await send(postern.url, { ...sent, path }));
      await until(() => answered() === all.length);
      const said = lines
        .slice(from)
        .map(({ time, ms, refusal, id, ...line }) => ({ ...line, refused: refusal !== undefined }));
      return { answers: answers.map(comparable), said, effects: difference(await effects(), before) };
    }

    const [short, whole] = [await ask('/token'), await ask('/Token')];
    all.forEach((sent, n) => {
      t.deepEqual(short.answers[n], whole.answers[n], `${n}: ${JSON.stringify(sent)}`);
    });
    t.deepEqual(short.said, whole.said);
    t.deepEqual(short.effects, whole.effects);
    const good = short.answers.filter(({ status }) => status === 200).length;
    t.true(good > RUNS / 10 && good < RUNS * 0.9, `${good} of ${RUNS} were granted`);
  },
);

test.serial('the short way answers most of what is granted, and gives everything else on untouched', async (t) => {
  const { domain, issuer } = postern;
  const servers = resourceServers({ domain, audience: audienceOf({ issuer } as never), accessTtl: minutes(15) });
  let told = 0;
  let issued = 0;
  const desk = createFrontDesk({ issuer, trustedProxies: [], tell: () => void told++ });
  const short = shortWays({ domain, engine: { servers }, issuer, desk, onTokens: () => void issued++ });
  const digest = (body: string | Buffer) => createHash('sha256').update(body).digest('hex');
  const server = createServer(
    inFront([short], async (req, res) => {
      const pieces: Buffer[] = [];
      for await (const piece of req.iterator({ destroyOnReturn: false })) pieces.push(piece as Buffer);
      res.writeHead(418).end(digest(Buffer.concat(pieces)));
    }),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', postern.url));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  let granted = 0;
  for (const sent of fc.sample(requests(), { numRuns: 400, seed: SEED + 1 })) {
    const [near, far] = [await send(url, sent), await send(postern.url, { ...sent, path: '/Token' })];
    if (far.status === 200) granted += 1;
    if (near.status === 418) t.is(near.text, digest(sent.body ?? ''), JSON.stringify(sent));
    else {
      t.is(far.status, 200);
      const token = (JSON.parse(near.text) as { access_token: string }).access_token;
      await t.notThrowsAsync(jwtVerify(token, keys, { issuer, typ: 'at+jwt' }));
    }
  }
  t.is(told, issued);
  t.true(issued > granted / 2 && issued <= granted, `${issued} of ${granted}`);
});

/** Sends pieces one after the other, as some clients do, and resolves with the answer. */
function inPieces(pieces: readonly string[], answers = 1): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(postern.url).port), '127.0.0.1', async () => {
      socket.setNoDelay(true);
      for (const piece of pieces) {
        socket.write(piece);
        await pause(30);
      }
    });
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes;
      if ((text.match(/\}(?=HTTP|$)/g)?.length ?? 0) >= answers) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}

test.serial('a body is understood in one piece with the headers, after them, and in several pieces', async (t) => {
  const body = 'grant_type=client_credentials&scope=files.read';
  const head = [
    'POST /token HTTP/1.1',
    'Host: x',
    `Authorization: ${basic(services[0]!)}`,
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${body.length}\r\n\r\n`,
  ].join('\r\n');
  for (const pieces of [
    [head + body],
    [head, body],
    [head.slice(0, 40), head.slice(40), body.slice(0, 9), body.slice(9)],
  ])
    t.regex(await inPieces(pieces), /^HTTP\/1.1 200 .*"scope":"files.read"/s, JSON.stringify(pieces));
  t.regex(await inPieces([head + body.replace('read', 'reap')]), /^HTTP\/1.1 400/);
  // Two at once on one connection: each gets its own answer.
  const both = await inPieces([head + body + head + body], 2);
  t.regex(both, /\}HTTP\/1\.1 200 .*"scope":"files\.read"/s);
});

test.serial('a client that leaves before its body came is written down as one that left', async (t) => {
  const from = lines.length;
  const socket = connect(Number(new URL(postern.url).port), '127.0.0.1', () => {
    socket.write(
      'POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\n',
    );
    setTimeout(() => socket.destroy(), 50);
  });
  await until(() => lines.slice(from).some(({ msg }) => msg === 'request'));
  t.like(
    lines.slice(from).find(({ msg }) => msg === 'request'),
    { path: '/token', aborted: true },
  );
});
