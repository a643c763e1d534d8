import test from 'ava';
import { type Handlers, startCourier } from '../../src/domain/index.ts';
import { hours, minutes, type Refusal, silent } from '../../src/lib/index.ts';
import type { Change } from '../../src/store/index.ts';
import { testDomain } from '../support/domain.ts';

const FROM = '192.0.2.7';

/** A domain with people of every kind, and a note of everything the store is asked. */
async function world(options: Parameters<typeof testDomain>[0] = {}) {
  const { domain, store, ...rest } = testDomain(options);
  const ada = await domain.accounts.add({ email: 'ada@example.com', password: 'correct horse' });
  const gone = await domain.accounts.add({ email: 'gone@example.com', password: 'correct horse' });
  await domain.accounts.setDisabled(gone.id, true);
  await domain.accounts.add({ email: 'invited@example.com' });
  const asked: string[] = [];
  for (const name of ['get', 'find', 'commit'] as const) {
    const real = store[name] as (...all: unknown[]) => unknown;
    const noted = (...given: unknown[]): unknown => {
      const [first] = given as [string | readonly Change[]];
      asked.push(
        `${name} ${typeof first === 'string' ? first : first.map((each) => ('put' in each ? each.put : each.remove))}`,
      );
      return real(...given);
    };
    Object.assign(store, { [name]: noted });
  }
  return { domain, store, ada, asked, ...rest };
}

test('asking for a mail is the same work whoever has the address', async (t) => {
  for (const wanted of ['reset-password', 'sign-up'] as const) {
    const { domain, asked, passwords } = await world();
    const seen = new Map<string, string>();
    const hashed = passwords.calls.length;
    for (const name of ['ada', 'gone', 'invited', 'nobody']) {
      asked.length = 0;
      const wait = await domain.mailRequests.ask(
        { wanted, email: `${name}@example.com`, locale: 'en' },
        `192.0.${name.length}.1`,
      );
      seen.set(name, JSON.stringify([wait, asked]));
    }
    t.is(new Set(seen.values()).size, 1, JSON.stringify([...seen]));
    t.is(passwords.calls.length, hashed);
    t.regex(seen.get('ada')!, /commit guesses,guesses,deliveries/);
  }
});

test('who has no account, or may not sign in, gets no mail about a password; who has one, exactly one', async (t) => {
  const { domain, store, time } = await world();
  const mails: string[] = [];
  const handlers: Handlers = {
    request: domain.answerMailRequest,
    async mail({ name, to }) {
      mails.push(`${name} ${to}`);
      return undefined;
    },
  };
  for (const name of ['ada', 'gone', 'invited', 'nobody'])
    await domain.mailRequests.ask({ wanted: 'reset-password', email: `${name}@EXAMPLE.com`, locale: 'en' }, FROM);
  const courier = startCourier({ deliveries: domain.deliveries, handlers, log: silent, lookEvery: minutes(1) });
  while ((await store.stats()).rows.deliveries > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await courier.close();
  t.deepEqual(mails.toSorted(), ['reset-password ada@example.com', 'reset-password invited@example.com']);
  t.is(time.at, Date.UTC(2026, 0, 1));
});

test('the forms that send mails count together: for one address, however it is spelt, and for one network', async (t) => {
  const { domain, time, ada } = await world({ mail: { per_address: 3, per_network: 5 } });
  const ask = (wanted: 'reset-password' | 'sign-up', email: string, from: string) =>
    domain.mailRequests.ask({ wanted, email, locale: 'en' }, from);
  const own = (wanted: 'change-email' | 'verify-email', email: string, from: string) =>
    domain.mailRequests.ask({ wanted, email, locale: 'en', accountId: ada.id, epoch: ada.epoch }, from);
  t.is(await ask('reset-password', 'bob@example.com', '198.51.100.1'), undefined);
  t.is(await ask('sign-up', 'BOB@example.com', '203.0.113.1'), undefined);
  t.is(await own('change-email', 'bob@Example.com', '192.0.2.1'), undefined);
  time.at += minutes(20);
  for (const refused of [
    ask('reset-password', 'Bob@example.com', '198.18.0.1'),
    ask('sign-up', 'bob@example.com', '198.18.0.2'),
    own('change-email', 'bob@example.com', '198.18.0.3'),
    own('verify-email', 'bob@example.com', '198.18.0.4'),
  ])
    t.is(await refused, minutes(40) / 1000);
  time.at += hours(1);
  for (let i = 0; i < 5; i++)
    t.is(await ask(i % 2 ? 'sign-up' : 'reset-password', `p${i}@example.com`, `192.0.2.${i}`), undefined);
  t.is(await own('verify-email', 'p5@example.com', '192.0.2.99'), 3600);
});

test('who wanted another address is mailed no link to it once their sign-ins were ended', async (t) => {
  const { domain, ada } = await world();
  const wanted = { wanted: 'change-email', accountId: ada.id, epoch: ada.epoch, locale: 'en' } as const;
  t.not((await domain.answerMailRequest({ ...wanted, email: 'thief@example.com' })).length, 0);
  await domain.accounts.setPassword(ada.id, 'another long battery');
  t.deepEqual(await domain.answerMailRequest({ ...wanted, email: 'thief@example.com' }), []);
});

test('of any number that ask at the same moment no more get through than may', async (t) => {
  const { domain, store } = await world({ mail: { per_address: 3, per_network: 1000 } });
  const waits = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      domain.mailRequests.ask({ wanted: 'reset-password', email: 'ada@example.com', locale: 'en' }, `10.0.${i}.1`),
    ),
  );
  t.is(waits.filter((wait) => wait === undefined).length, 3);
  t.is((await store.stats()).rows.deliveries, 3);
});

test('what is no address is refused before it is counted, and a sign-up where there is none', async (t) => {
  const { domain, asked } = await world({ sign_up: 'invitation' });
  asked.length = 0;
  const code = async (ask: Promise<unknown>) => (await ask.catch((error: Refusal) => error.code)) as string;
  for (const email of [
    '',
    'x',
    'a@b@c',
    'a b@c',
    '"x"@y',
    `${'x'.repeat(300)}@y`,
    'a@b\r\nBcc: c@d',
    'a@b>',
    'a@b,c@d',
  ])
    t.is(await code(domain.mailRequests.ask({ wanted: 'reset-password', email, locale: 'en' }, FROM)), 'email_invalid');
  t.is(await code(domain.mailRequests.ask({ wanted: 'sign-up', email: 'a@b', locale: 'en' }, FROM)), 'sign_up_closed');
  t.deepEqual(asked, []);
});
