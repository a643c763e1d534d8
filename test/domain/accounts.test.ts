import test from 'ava';
import fc from 'fast-check';
import { emailKey } from '../../src/domain/email.ts';
import { Refusal } from '../../src/lib/index.ts';
import { testDomain } from '../support/domain.ts';
import { issueTo } from '../support/issued.ts';

const alice = { email: 'alice@example.com', password: 'correct horse' };

test('two people who register one address at the same moment: one of them gets it', async (t) => {
  const { domain } = testDomain();
  const spellings = ['Alice@Example.com', 'alice@example.com', ' ALICE@EXAMPLE.COM ', 'ａlice@example.com'];
  const results = await Promise.allSettled(spellings.map((email) => domain.accounts.add({ ...alice, email })));
  const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Refusal] : []));
  t.is(results.length - refused.length, 1);
  t.true(refused.every(({ code }) => code === 'email_taken'));
  t.is((await domain.accounts.list()).people.length, 1);
});

test('a person is found by any spelling of their address, and it is kept as they wrote it', async (t) => {
  const { domain } = testDomain();
  const { id } = await domain.accounts.add({ email: ' Alice@Example.com ', name: 'Alice' });
  const found = await domain.accounts.byEmail('ALICE@example.COM');
  t.is(found?.id, id);
  t.is(found?.email, 'Alice@Example.com');
  t.true(id.startsWith('usr_'));
});

test('an address has one key, and the key of a key is itself', (t) => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => emailKey(emailKey(text)) === emailKey(text)));
  t.is(emailKey(' Ａ@B.c '), 'a@b.c');
  for (const domain of ['bücher.example', 'xn--bcher-kva.example', 'XN--BCHER-KVA.Example', 'BÜCHER.example'])
    t.is(emailKey(`Anna@${domain}`), 'anna@bücher.example', domain);
  for (const other of [
    'a@xn--bcher-kva.example/x',
    'a@xn--bcher-kva.example:80',
    'a@xn--',
    'a@xn--a.b',
    'xn--tda',
    '1.2',
  ])
    t.is(emailKey(other), other);
  const encoded = fc.string({ unit: fc.constantFrom(...'ab-1ußSK.@/:'), maxLength: 8 }).map((text) => `a@xn--${text}`);
  fc.assert(fc.property(encoded, (text) => emailKey(emailKey(text)) === emailKey(text)));
});

test('whatever is given as an address, either a person exists afterwards or a Refusal says why not', async (t) => {
  const { domain } = testDomain();
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.tuple(fc.string(), fc.string()).map(([local, host]) => `${local}@${host}`),
    fc.constantFrom(
      'a@b@c',
      '@',
      'a@',
      '@b',
      'a b@c.d',
      'a@b\r\nBcc: x@y',
      'a@b\u0000',
      '"a"@b',
      'a..b@c.d',
      '__proto__',
    ),
  );
  await fc.assert(
    fc.asyncProperty(hostile, async (email) => {
      try {
        const { id } = await domain.accounts.add({ email });
        if (/[\s\p{C}]/u.test(email.trim())) throw new Error('accepted');
        await domain.accounts.remove(id);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
      }
    }),
  );
  t.is((await domain.accounts.list()).people.length, 0);
});

test('a password has 8 to 128 characters, an emoji being one', async (t) => {
  const { domain } = testDomain();
  const refusal = async (password: string) =>
    (await t.throwsAsync(domain.accounts.add({ email: 'x@example.com', password }), { instanceOf: Refusal })).code;
  t.is(await refusal('1234567'), 'password_too_short');
  t.is(await refusal('🔑'.repeat(7)), 'password_too_short');
  t.is(await refusal('a'.repeat(129)), 'password_too_long');
  await t.notThrowsAsync(
    domain.accounts.add({
      email: 'y@example.com',
      password: Array.from({ length: 128 }, (_, i) => String.fromCodePoint(0x1f400 + i * 3)).join(''),
    }),
  );
});

test('the right address and password give the person, and nothing else does', async (t) => {
  const { domain } = testDomain();
  const { id } = await domain.accounts.add(alice);
  t.is((await domain.accounts.authenticate('ALICE@example.com', alice.password))?.id, id);
  t.is(await domain.accounts.authenticate(alice.email, 'wrong horse'), undefined);
  await domain.accounts.setDisabled(id, true);
  t.is(await domain.accounts.authenticate(alice.email, alice.password), undefined);
  await domain.accounts.setDisabled(id, false);
  t.is((await domain.accounts.authenticate(alice.email, alice.password))?.id, id);
});

test('unknown, disabled, without a password and wrong cost exactly one slow hash each', async (t) => {
  const { domain, passwords } = testDomain();
  await domain.accounts.add(alice);
  const { id } = await domain.accounts.add({ ...alice, email: 'disabled@example.com' });
  await domain.accounts.setDisabled(id, true);
  await domain.accounts.add({ email: 'passkey@example.com' });
  passwords.calls.length = 0;
  for (const email of ['alice', 'disabled', 'passkey', 'nobody'].map((name) => `${name}@example.com`)) {
    t.is(await domain.accounts.authenticate(email, 'wrong password'), undefined);
    t.deepEqual(passwords.calls.splice(0), ['slow'], email);
  }
  await domain.accounts.authenticate(`${'x'.repeat(500)}`, 'y'.repeat(10_000));
  t.deepEqual(passwords.calls, ['slow']);
});

for (const [title, end] of [
  ['disabling a person', 'disable'],
  ['changing a password', 'password'],
  ['removing a person', 'remove'],
  ['signing a person out', 'sign out'],
  ['making a person an operator', 'promote'],
] as const) {
  test(`${title} ends everything issued to them, and nothing of anybody else`, async (t) => {
    const { domain, store } = testDomain();
    const { id } = await domain.accounts.add(alice);
    const bob = await domain.accounts.add({ ...alice, email: 'bob@example.com' });
    await issueTo(store, id, 'cli_1');
    await issueTo(store, id, 'cli_2');
    const before = (await store.stats()).rows;
    await issueTo(store, bob.id, 'cli_1');
    if (end === 'disable') await domain.accounts.setDisabled(id, true);
    if (end === 'password') await domain.accounts.setPassword(id, 'another horse');
    if (end === 'remove') await domain.accounts.remove(id);
    if (end === 'sign out') await domain.accounts.signOut(id);
    if (end === 'promote') await domain.accounts.update(id, { admin: true });
    const { rows } = await store.stats();
    t.is(before.refresh_tokens, 2);
    for (const table of ['sessions', 'grants', 'authorization_codes', 'access_tokens', 'refresh_tokens'] as const)
      t.is(rows[table], 1, table);
    t.is((await store.find('sessions', 'accountId', bob.id)).rows.length, 1);
  });
}

test('a person disabled is in one commit with the end of what they had', async (t) => {
  const { domain, store, commits } = testDomain();
  const { id } = await domain.accounts.add(alice);
  await issueTo(store, id, 'cli_1');
  const before = commits().length;
  await domain.accounts.setDisabled(id, true);
  const [only, ...more] = commits().slice(before);
  t.deepEqual(more, []);
  t.true(only?.some((change) => 'put' in change && change.put === 'accounts'));
  t.true(only?.some((change) => 'put' in change && change.put === 'audit'));
  t.is(only?.filter((change) => 'remove' in change).length, 5);
});

test('what an operator corrects is what they named, told to whose address it was, and everything else stays', async (t) => {
  const { domain, store } = testDomain();
  const { id } = await domain.accounts.add({ ...alice, name: 'Alice', emailVerified: true });
  await issueTo(store, id, 'cli_1');
  const lettersTo = async () => (await store.find('deliveries', 'all', '')).rows.length;
  const before = (await domain.accounts.get(id))!;
  t.like(await domain.accounts.update(id, { name: 'Alice B' }), {
    ...before,
    name: 'Alice B',
    updatedAt: before.updatedAt,
  });
  t.like(await domain.accounts.update(id, { email: 'ALICE@example.com' }), {
    email: 'ALICE@example.com',
    emailVerified: true,
  });
  t.like(await domain.accounts.update(id, { admin: false }), { admin: false, epoch: 0 });
  t.is((await domain.accounts.update(id, {})).id, id);
  t.is(await lettersTo(), 0);
  t.like(await domain.accounts.update(id, { email: 'al@example.com' }), {
    emailVerified: false,
    epoch: 1,
    name: 'Alice B',
  });
  t.is(await lettersTo(), 1, 'the address that was theirs is told');
  t.is(await domain.accounts.byEmail(alice.email), undefined);
  t.is((await domain.accounts.authenticate('al@example.com', alice.password))?.id, id);
  await domain.accounts.update(id, { email: 'alice@example.com', emailVerified: true });
  t.is(await lettersTo(), 1, 'one that nobody confirmed is not');
  t.is((await store.find('refresh_tokens', 'accountId', id)).rows.length, 1, 'they stay signed in');
  const { events } = await domain.audit.listForAccount(id);
  const told = events.filter(({ type }) => type === 'account.updated').map(({ details }) => details);
  t.deepEqual(
    told.toSorted((a, b) => String(a['changed']).localeCompare(String(b['changed']))),
    [
      { changed: 'admin', admin: false },
      { changed: 'email' },
      { changed: 'email' },
      { changed: 'email email_verified' },
      { changed: 'name' },
    ],
  );
});

test('of two people who are given one address at once, one gets it; nobody loses theirs', async (t) => {
  const { domain } = testDomain();
  const people = await Promise.all(
    ['a', 'b', 'c'].map((name) => domain.accounts.add({ email: `${name}@example.com` })),
  );
  const given = await Promise.allSettled(
    people.map(({ id }) => domain.accounts.update(id, { email: 'x@example.com' })),
  );
  t.is(given.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const one of people) {
    const { email } = (await domain.accounts.get(one.id))!;
    t.is((await domain.accounts.byEmail(email))?.id, one.id);
  }
  const free = people.find((_, i) => given[i]?.status === 'fulfilled')!;
  t.is(await domain.accounts.byEmail(free.email), undefined);
});

test('a person with more than one commit can hold is ended to the last token', async (t) => {
  const { domain, store, commits } = testDomain();
  const { id } = await domain.accounts.add(alice);
  for (let i = 0; i < 260; i++) await issueTo(store, id, `cli_${i}`);
  await domain.accounts.setDisabled(id, true);
  const { rows } = await store.stats();
  t.is(rows.sessions + rows.grants + rows.authorization_codes + rows.access_tokens + rows.refresh_tokens, 0);
  t.true(commits().every((changes) => changes.length <= 502));
});

test('after a removal the address is free, the consents are gone, and the audit remembers', async (t) => {
  const { domain } = testDomain();
  const { id } = await domain.accounts.add(alice);
  await domain.consents.remember({ accountId: id, clientId: 'cli_1', scopes: ['openid'] });
  await domain.accounts.remove(id);
  t.is(await domain.accounts.get(id), undefined);
  t.is(await domain.consents.find(id, 'cli_1'), undefined);
  t.not((await domain.accounts.add(alice)).id, id);
  const { events } = await domain.audit.listForAccount(id);
  t.deepEqual(events.map(({ type }) => type).toSorted(), ['account.added', 'account.removed', 'consent.given']);
});

test('changes of one person at the same moment all count', async (t) => {
  const { domain } = testDomain();
  const { id } = await domain.accounts.add(alice);
  await Promise.all([
    domain.accounts.setDisabled(id, true),
    domain.accounts.setPassword(id, 'another horse'),
    domain.accounts.setDisabled(id, true),
  ]);
  t.true((await domain.accounts.get(id))?.disabled);
  await domain.accounts.setDisabled(id, false);
  t.truthy(await domain.accounts.authenticate(alice.email, 'another horse'));
});

test('nobody can be changed who is not there', async (t) => {
  const { domain } = testDomain();
  for (const attempt of [
    () => domain.accounts.setDisabled('usr_x', true),
    () => domain.accounts.setPassword('usr_x', 'long enough'),
    () => domain.accounts.remove('usr_x'),
    () => domain.accounts.update('usr_x', { name: 'X' }),
    () => domain.accounts.signOut('usr_x'),
  ])
    t.is((await t.throwsAsync(attempt, { instanceOf: Refusal })).code, 'user_unknown');
});
