import test from 'ava';
import { type Handlers, startCourier, Undeliverable } from '../../src/domain/index.ts';
import { days, hours, type Logger, minutes, seconds, silent } from '../../src/lib/index.ts';
import { testDomain } from '../support/domain.ts';
import { until } from '../support/until.ts';

const LEASE = minutes(2);
const logout = { clientId: 'cli_1', accountId: 'usr_1', sid: 'secret-token' };

/** Everything a log was told, as text. */
function listening() {
  const lines: string[] = [];
  const say = (details: object, message: string) => void lines.push(`${message} ${JSON.stringify(details)}`);
  const log: Logger = { ...silent, info: say, warn: say, error: say };
  return { lines, log };
}

test('of 50 that claim one delivery at the same moment, one gets it', async (t) => {
  const { domain, store } = testDomain();
  for (let trial = 0; trial < 20; trial++) {
    await store.commit([domain.deliveries.enqueue('logout', logout)]);
    const claims = await Promise.all(Array.from({ length: 50 }, () => domain.deliveries.claim('logout', LEASE)));
    const got = claims.flatMap(({ claim }) => claim ?? []);
    t.is(got.length, 1);
    t.deepEqual(got[0]?.payload, logout);
    t.true(await got[0]?.done());
  }
  t.is((await store.stats()).rows.deliveries, 0);
});

test('what is enqueued cannot be read in the store, and happens only if its commit does', async (t) => {
  const { domain, store, commits } = testDomain();
  await store.commit([domain.deliveries.enqueue('logout', logout, { accountId: 'usr_1' })]);
  t.notRegex(JSON.stringify(commits()), /secret-token|app\.example/);
  await t.throwsAsync(
    store.commit([domain.deliveries.enqueue('logout', logout), { remove: 'links', id: 'x', expect: 1 }]),
  );
  t.is((await store.stats()).rows.deliveries, 1);
});

test('each attempt that fails is followed by a longer wait, until a day is over and the audit says so', async (t) => {
  const { domain, store, time } = testDomain();
  await store.commit([domain.deliveries.enqueue('logout', logout, { accountId: 'usr_1' })]);
  const began = time.at;
  const waits: number[] = [];
  let reference: string | undefined;
  for (;;) {
    const { claim, wait } = await domain.deliveries.claim('logout', LEASE);
    if (!claim && wait === undefined) break;
    if (!claim) {
      waits.push(wait!);
      time.at += wait!;
      continue;
    }
    reference ??= claim.reference;
    t.is(claim.reference, reference);
    t.is(claim.attempt, waits.length + 1);
    if ((await claim.failed()) === 'given up') t.true(time.at - began > days(1) - hours(1));
  }
  t.true(time.at - began <= days(1));
  t.true(waits[0]! >= seconds(10) && waits[0]! <= seconds(12));
  t.true(waits.every((wait, i) => wait <= minutes(36) && (i === 0 || wait > waits[i - 1]! * 0.8)));
  const { events } = await domain.audit.listForAccount('usr_1');
  t.is(events[0]?.type, 'delivery.given_up');
  t.deepEqual(events[0]?.details, { kind: 'logout', attempts: waits.length + 1 });
  t.is((await store.stats()).rows.deliveries, 0);
});

test('what nobody wants any more after a while is given up after that while', async (t) => {
  const { domain, store, time } = testDomain();
  await store.commit([domain.deliveries.enqueue('logout', logout, { goodFor: minutes(1) })]);
  time.at += seconds(55);
  t.is(await (await domain.deliveries.claim('logout', LEASE)).claim?.failed(), 'given up');
});

test('a claim whose process died is made again after its lease, and the first one then ends nothing', async (t) => {
  const { domain, store, time } = testDomain();
  await store.commit([domain.deliveries.enqueue('logout', logout)]);
  const { claim: lost } = await domain.deliveries.claim('logout', LEASE);
  t.deepEqual(await domain.deliveries.claim('logout', LEASE), { wait: LEASE });
  time.at += LEASE;
  const { claim: next } = await domain.deliveries.claim('logout', LEASE);
  t.is(next?.reference, lost?.reference);
  t.is(next?.attempt, 2);
  t.false(await lost?.done([{ put: 'seen', id: 'x', record: { issuer: 'too late' } }]));
  t.is(await store.get('seen', 'x'), undefined);
  t.true(await next?.done([{ put: 'seen', id: 'x', record: { issuer: 'in time' } }]));
  t.truthy(await store.get('seen', 'x'));
});

test('the courier does what is enqueued without being told, again until it succeeds, and a final refusal once', async (t) => {
  const { domain, store, time } = testDomain();
  const { lines, log } = listening();
  let attempts = 0;
  const handlers: Handlers = {
    async logout({ sid }) {
      if (sid === 'final') throw new Undeliverable('never');
      attempts++;
      if (attempts < 3) throw new Error('not now');
      return undefined;
    },
  };
  const courier = startCourier({ deliveries: domain.deliveries, handlers, log, lookEvery: 20 });
  await store.commit([domain.deliveries.enqueue('logout', logout)]);
  await until(async () => {
    time.at += minutes(1);
    return attempts === 3;
  });
  await store.commit([domain.deliveries.enqueue('logout', { ...logout, sid: 'final' })]);
  await until(async () => (await store.stats()).rows.deliveries === 0);
  await courier.close();
  t.is(attempts, 3);
  t.is(lines.filter((line) => line.includes('will be tried again')).length, 2);
  t.is(lines.filter((line) => line.includes('was given up')).length, 1);
  t.notRegex(lines.join(), /secret-token/);
});

test('a lane that is stuck holds up no other, and a handler that never answers is let go of', async (t) => {
  const { domain, store } = testDomain();
  const { log } = listening();
  let mails = 0;
  let told = false;
  const courier = startCourier({
    deliveries: domain.deliveries,
    handlers: {
      logout: (_, { signal }) =>
        new Promise(() => {
          signal.addEventListener('abort', () => {
            told = true;
          });
        }),
      async mail() {
        mails++;
        return undefined;
      },
    },
    log,
    lookEvery: 20,
  });
  const letter = { name: 'sign-up', to: 'ada@example.com', locale: 'en' } as const;
  await store.commit(Array.from({ length: 10 }, () => domain.deliveries.enqueue('logout', logout)));
  await store.commit(Array.from({ length: 10 }, () => domain.deliveries.enqueue('mail', letter)));
  await until(() => mails === 10);
  await courier.close();
  t.true(told);
  // Nobody holds them: the next process need not wait for a lease.
  const { wait = 0 } = await domain.deliveries.claim('logout', LEASE);
  t.true(wait <= seconds(12));
});

test('two couriers on one store do each delivery once between them', async (t) => {
  const { domain, store } = testDomain();
  const { log } = listening();
  const done: string[] = [];
  const handlers: Handlers = {
    async logout(_, { reference }) {
      done.push(reference);
      return undefined;
    },
  };
  const couriers = [1, 2].map(() => startCourier({ deliveries: domain.deliveries, handlers, log, lookEvery: 5 }));
  for (let i = 0; i < 100; i++) await store.commit([domain.deliveries.enqueue('logout', logout)]);
  await until(async () => (await store.stats()).rows.deliveries === 0);
  await Promise.all(couriers.map((courier) => courier.close()));
  t.is(done.length, 100);
  t.is(new Set(done).size, 100);
});
