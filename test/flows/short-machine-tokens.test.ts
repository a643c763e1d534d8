/**
 * What was decided of a machine's request is remembered with the rows it rests on (src/short/remembered.ts): it is granted
 * again for as long as none of them has changed, and decided anew after that, as the whole way decides.
 */
import { connect } from 'node:net';
import test from 'ava';
import type { PublishedKey } from '../../src/domain/index.ts';
import { days, minutes } from '../../src/lib/index.ts';
import { inJson, overhear, sameBothWays, wholeWay } from '../support/both-ways.ts';
import { pass } from '../support/clock.ts';
import { type Sent, send } from '../support/hostile.ts';
import { addClient, type Postern } from '../support/postern.ts';
import { basic, type Credentials, plain } from '../support/program-requests.ts';
import { shortWaysOf } from '../support/short-ways.ts';
import { until } from '../support/until.ts';

const overheard = overhear(test);
let postern: Postern;
test.serial.before(() => {
  ({ postern } = overheard);
});

interface Machine extends Credentials {
  readonly api: string;
  readonly other: string;
}

let machines = 0;

/** A service that may have tokens for two APIs of its own. */
async function machine(): Promise<Machine> {
  machines += 1;
  const [api, other] = [`https://api-${machines}.example.com`, `https://other-${machines}.example.com`];
  for (const uri of [api, other]) await postern.domain.resources.add({ uri, scopes: ['read', 'write'] });
  const { id, secret } = await addClient(postern, { type: 'service', redirectUris: [], resources: [api, other] });
  return { id, secret: secret!, api, other };
}

const asking = (by: Credentials, ...fields: [string, string][]): Sent => ({
  method: 'POST',
  path: '/token',
  ...plain([['grant_type', 'client_credentials'], ...fields]),
  headers: { ...plain([]).headers, authorization: basic(by) },
});

const claimsOf = ({ text }: { text: string }) =>
  JSON.parse(
    Buffer.from((JSON.parse(text) as { access_token: string }).access_token.split('.')[1]!, 'base64url').toString(),
  ) as Record<string, unknown>;

const scoped = (by: Machine) => asking(by, ['scope', 'read']);
const named = (by: Machine) => asking(by, ['scope', 'read'], ['resource', by.other]);
const bare = (by: Machine) => asking(by);

type Changed = readonly [
  fact: string,
  asks: (by: Machine) => Sent,
  change: (by: Machine) => Promise<unknown>,
  /** What is found in the answers after it. */
  after: RegExp,
];

const CHANGES: readonly Changed[] = [
  ['its client is removed', scoped, ({ id }) => postern.domain.clients.remove(id), /invalid_client/],
  ['it has another secret', scoped, ({ id }) => postern.domain.clients.rotateSecret(id), /invalid_client/],
  [
    'it may not ask for the API any more',
    named,
    ({ id, api }) => postern.domain.clients.update(id, { resources: [api] }),
    /invalid_target/,
  ],
  [
    'another API is its first',
    bare,
    ({ id, api, other }) => postern.domain.clients.update(id, { resources: [other, api] }),
    /other-/,
  ],
  [
    'it may not have the scope any more',
    scoped,
    ({ id }) => postern.domain.clients.update(id, { scopes: ['write'] }),
    /invalid_scope/,
  ],
  [
    'the API has no such scope any more',
    scoped,
    ({ api }) => postern.domain.resources.update(api, { scopes: ['write'] }),
    /invalid_scope/,
  ],
  [
    'tokens of the API live shorter',
    named,
    ({ other }) => postern.domain.resources.update(other, { ttl: minutes(3) }),
    /"expires_in":180/,
  ],
  [
    'tokens of the API are recorded',
    scoped,
    ({ api }) => postern.domain.resources.update(api, { revocable: true }),
    /revocable/,
  ],
  ['the key is revoked', scoped, () => postern.domain.keys.revoke(postern.domain.keys.signer().kid), /access_token/],
];

for (const [fact, asks, change, after] of CHANGES) {
  test.serial(`what was granted before is decided anew once ${fact}`, async (t) => {
    const by = await machine();
    const sent = asks(by);
    const before = await sameBothWays(t, overheard, [sent, sent, sent]);
    t.true(before.every(({ status, body }) => status === 200 && !after.test(body.replace('access_token', ''))));
    await change(by);
    const now = await sameBothWays(t, overheard, [sent, sent, sent]);
    for (const { body } of now) t.regex(body, after);
    if (fact === 'the key is revoked') t.notDeepEqual(now, before);
  });
}

/** While nothing can be signed. */
async function unsigned(work: () => Promise<void>): Promise<void> {
  const key = postern.domain.keys.signer() as { sign: PublishedKey['sign'] };
  const { sign } = key;
  key.sign = () => Promise.reject(new Error('out of order'));
  try {
    await work();
  } finally {
    key.sign = sign;
  }
}

test.serial('what was granted before and cannot be signed now fails as it does the whole way', async (t) => {
  const sent = scoped(await machine());
  t.is((await send(postern.url, sent)).status, 200);
  await unsigned(async () => {
    const failed = inJson(await send(postern.url, sent), sent.path);
    t.is(failed.status, 500);
    t.deepEqual(failed, inJson(await send(postern.url, { ...sent, path: wholeWay(sent.path) }), sent.path));
  });
  t.is((await send(postern.url, sent)).status, 200);
});

test.serial(
  'requests of one connection are answered in turn, whether they wait for answers, and after a failure',
  async (t) => {
    const { path, headers, body = '' } = scoped(await machine());
    const lines = Object.entries({ ...headers, host: 'localhost', 'content-length': body.length });
    const asked = [`POST ${path} HTTP/1.1`, ...lines.map((line) => line.join(': ')), '', body].join('\r\n');
    const socket = connect(Number(new URL(postern.url).port), '127.0.0.1');
    let heard = '';
    socket.on('data', (bytes) => {
      heard += bytes.toString('latin1');
    });
    const statuses = () => [...heard.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
    const ask = async (times: number) => {
      const all = statuses().length + times;
      socket.write(asked.repeat(times));
      await until(() => statuses().length >= all);
    };
    for (const times of [1, 1, 3]) await ask(times);
    await unsigned(() => ask(2));
    await ask(1);
    await ask(2);
    socket.destroy();
    t.deepEqual(statuses(), [200, 200, 200, 200, 200, 500, 500, 200, 200, 200]);
  },
);

test.serial('a token that is granted again is another one, of the moment it is granted in', async (t) => {
  const { url, heard } = await shortWaysOf(t, postern);
  const by = await machine();
  const [first, second] = [claimsOf(await send(url, scoped(by))), claimsOf(await send(url, scoped(by)))];
  t.not(first['jti'], second['jti']);
  pass(minutes(2));
  const later = claimsOf(await send(url, scoped(by)));
  t.is(Number(later['exp']) - Number(later['iat']), Number(first['exp']) - Number(first['iat']));
  t.true(Number(later['iat']) >= Number(first['iat']) + 120);
  t.is(heard.issued, 3);
});

test.serial('an old secret is granted a token for as long as it was left, and no longer', async (t) => {
  const { url } = await shortWaysOf(t, postern);
  const by = await machine();
  const { secret } = await postern.domain.clients.rotateSecret(by.id, { keepOldFor: days(1) });
  for (const each of [by.secret, by.secret, secret, secret])
    t.is((await send(url, scoped({ ...by, secret: each }))).status, 200);
  pass(days(1) + 1_000);
  t.is((await send(url, scoped(by))).status, 418);
  t.is((await send(postern.url, scoped(by))).status, 401);
  t.is((await send(url, scoped({ ...by, secret }))).status, 200);
});

test.serial('what one was granted nobody else is who asks for the same in other words', async (t) => {
  const { url } = await shortWaysOf(t, postern);
  const by = await machine();
  const sent = scoped(by);
  t.is((await send(url, sent)).status, 200);
  const { authorization = '', ...others } = sent.headers as Record<string, string>;
  const without = { ...sent, headers: others };
  // The two parts of a question do not run into each other.
  for (const strange of [
    without,
    { ...without, ...plain([]), headers: others, body: `by ${authorization}\n${sent.body}` },
    { ...without, headers: { ...others, authorization: '' } },
    { ...sent, headers: { ...others, authorization: authorization.slice(0, -1) } },
    { ...sent, body: `${sent.body}&` },
  ] as Sent[])
    t.is((await send(url, strange)).status, 418, JSON.stringify(strange));
  t.is(inJson(await send(postern.url, without), '/token').status, 401);
});
