/**
 * Machine tokens are granted by a short way in front of everything (src/short/machine-tokens.ts), as the engine grants
 * them.
 */
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import { createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { days, minutes } from '../../src/lib/index.ts';
import { overhear, RUNS, SEED, sameBothWays, wholeWay } from '../support/both-ways.ts';
import { type Pairs, rarely, type Sent, send } from '../support/hostile.ts';
import { addClient, type Postern } from '../support/postern.ts';
import { basic, type Credentials, HEADERS, proof, sentWith, word, wrong } from '../support/program-requests.ts';
import { digest, shortWaysOf } from '../support/short-ways.ts';
import { until } from '../support/until.ts';

const API = 'https://files.example.com';
const RECORDED = 'https://secrets.example.com';
const SHARED = 'https://shared.example.com';

const overheard = overhear(test);
let postern: Postern;
const { lines } = overheard;
let services: Credentials[];

test.serial.before(async () => {
  ({ postern } = overheard);
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

const GRANTS = [...Array<string>(9).fill('client_credentials'), 'password'];
const SCOPES = [
  'files.read',
  'files.write',
  'files.read files.write',
  'files.read files.read',
  'files.read  x',
  'openid',
];
/** Those that may have something more often than the others. */
const asker = () => fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: services.length - 1 })).map((n) => services[n]!);

const requests = (): fc.Arbitrary<Sent> =>
  fc
    .record({
      proof: proof(asker()),
      grant: word(fc.constantFrom(...GRANTS)),
      scope: fc.option(word(fc.constantFrom(...SCOPES)), { freq: 2 }),
      resource: fc.option(word(fc.constantFrom(API, API, SHARED, RECORDED, `${API}/`, `${postern.issuer}/api`)), {
        freq: 2,
      }),
      headers: rarely(fc.constantFrom(...HEADERS)),
      wrong: wrong(),
    })
    .chain(({ proof, grant, scope, resource, headers, wrong }) => {
      const pairs: Pairs = [
        ['grant_type', grant],
        ...(scope === null ? [] : [['scope', scope] as const]),
        ...(resource === null ? [] : [['resource', resource] as const]),
        ...proof.pairs,
      ];
      return sentWith(wrong, { path: '/token', pairs, headers: { ...proof.headers, ...headers } });
    });

test.serial(
  'thousands of honest and hostile requests are answered, logged, counted and kept the same either way',
  async (t) => {
    t.log(`seed ${SEED}, ${RUNS} requests`);
    const answers = await sameBothWays(t, overheard, fc.sample(requests(), { numRuns: RUNS, seed: SEED }));
    const good = answers.filter(({ status }) => status === 200).length;
    t.true(good > RUNS / 10 && good < RUNS * 0.9, `${good} of ${RUNS} were granted`);
  },
);

test.serial('the short way answers most of what is granted, and gives everything else on untouched', async (t) => {
  const { url, heard } = await shortWaysOf(t, postern);
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', postern.url));
  let granted = 0;
  for (const sent of fc.sample(requests(), { numRuns: 400, seed: SEED + 1 })) {
    const [near, far] = [await send(url, sent), await send(postern.url, { ...sent, path: wholeWay(sent.path) })];
    if (far.status === 200) granted += 1;
    if (near.status === 418) t.is(near.text, digest(sent.body ?? ''), JSON.stringify(sent));
    else {
      t.is(far.status, 200);
      const token = (JSON.parse(near.text) as { access_token: string }).access_token;
      await t.notThrowsAsync(jwtVerify(token, keys, { issuer: postern.issuer, typ: 'at+jwt' }));
    }
  }
  t.is(heard.told, heard.issued);
  t.true(heard.issued > granted / 2 && heard.issued <= granted, `${heard.issued} of ${granted}`);
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
