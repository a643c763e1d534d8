import { readFileSync } from 'node:fs';
import test from 'ava';
import { createDomain, createPasswords, type Newcomer } from '../../src/domain/index.ts';
import { minutes, seconds } from '../../src/lib/index.ts';
import { type Change, type Store, StoreUnavailable } from '../../src/store/index.ts';
import { SEALING_KEY, SETTINGS, testDomain } from '../support/domain.ts';
import { memoryStore } from '../support/memory-store.ts';

const HASHES = new Map(
  readFileSync(new URL('./foreign-hashes.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line): { by: string; password: string; hash: string } => JSON.parse(line))
    .filter(({ password }) => password === 'correct horse')
    .map(({ by, hash }) => [by, hash]),
);
const PASSWORD = 'correct horse';
const CHEAP = HASHES.get('django pbkdf2_sha256, 10,000');

const newcomer = (line: number, more: Partial<Newcomer> = {}): Newcomer => ({
  line,
  email: `p${line}@example.com`,
  emailVerified: false,
  disabled: false,
  passwordHash: CHEAP,
  ...more,
});
const crowd = (size: number): Newcomer[] => Array.from({ length: size }, (_, i) => newcomer(i + 1));

/** The real hashing on a store in memory that a test may break. */
function setUp() {
  const time = { at: Date.UTC(2026, 0, 1) };
  const memory = memoryStore(() => time.at);
  const hooks: { before?: ((changes: readonly Change[]) => unknown) | undefined } = {};
  const store: Store = {
    ...memory,
    commit: async (changes) => {
      await hooks.before?.(changes);
      return memory.commit(changes);
    },
  };
  const passwords = createPasswords({ workers: 2, queue: 1000 });
  const domain = createDomain({ store, now: () => time.at, settings: SETTINGS, sealingKey: SEALING_KEY, passwords });
  const hashOf = async (email: string) => (await domain.accounts.byEmail(email))?.passwordHash;
  return { domain, store, hooks, time, hashOf, commits: memory.commits, passwords };
}

test('people sign in with the password they had, whoever hashed it, and it is argon2id from then on', async (t) => {
  const { domain, hashOf } = setUp();
  const cheap = [...HASHES].filter(([by]) => /,|argon2i/.test(by));
  t.is(cheap.length, 6);
  const people = cheap.map(([, passwordHash], i) => newcomer(i + 1, { passwordHash }));
  t.deepEqual(await domain.imports.run(people), { imported: people.length, refused: [] });
  for (const { email, passwordHash } of people) {
    t.is(await domain.accounts.authenticate(email, 'wrong horse'), undefined);
    t.true((await hashOf(email))?.endsWith(passwordHash!), 'a wrong password changes nothing');
    const first = await domain.accounts.authenticate(email, PASSWORD);
    t.is(first?.email, email);
    t.regex((await hashOf(email))!, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/, passwordHash);
    t.is((await domain.accounts.authenticate(email, PASSWORD))?.id, first?.id);
    t.is(await domain.accounts.authenticate(email, 'wrong horse'), undefined);
  }
  await domain.close();
});

test('what is known of people comes along, and nothing of it is a privilege', async (t) => {
  const { domain } = setUp();
  const { imported } = await domain.imports.run([
    newcomer(1, { email: 'Ann@Example.com', name: 'Ann', emailVerified: true }),
    newcomer(2, { disabled: true }),
    newcomer(3, { passwordHash: undefined }),
  ]);
  t.is(imported, 3);
  t.like(await domain.accounts.byEmail('ann@example.com'), {
    email: 'Ann@Example.com',
    name: 'Ann',
    emailVerified: true,
    admin: false,
    disabled: false,
  });
  t.is(await domain.accounts.authenticate('p2@example.com', PASSWORD), undefined, 'disabled stays disabled');
  t.is(await domain.accounts.authenticate('p3@example.com', ''), undefined);
  t.is((await domain.accounts.list()).people.length, 3);
  const told: string[] = [];
  for await (const { type } of domain.audit.events()) told.push(type);
  t.is(told.filter((type) => type === 'accounts.imported').length, 1);
  await domain.close();
});

test('one line that is wrong, and nobody comes; every wrong line is named with its reason', async (t) => {
  const { domain, store } = testDomain();
  await domain.accounts.add({ email: 'p7@example.com' });
  const before = await store.stats();
  const { imported, refused } = await domain.imports.run([
    ...crowd(2),
    newcomer(3, { email: 'nobody' }),
    newcomer(4, { passwordHash: 'md5$salt$0123' }),
    newcomer(5, { passwordHash: `$2b$31$${'a'.repeat(53)}` }),
    newcomer(6, { name: 'a\u202eb' }),
    newcomer(7, { email: 'P7@EXAMPLE.COM' }),
    newcomer(8, { email: 'P1@Example.com' }),
  ]);
  t.is(imported, 0);
  t.deepEqual(
    refused.map(({ line }) => line),
    [3, 4, 5, 6, 7, 8],
  );
  const reasons = [
    /not an e-mail address/,
    /not a password hash known here; known are pbkdf2_sha256/,
    /cost \(bcrypt: 2147483648\)/,
    /name/,
    /belongs to somebody/,
    /line 1 already/,
  ];
  for (const [i, reason] of reasons.entries()) t.regex(refused[i]!.reason, reason);
  t.deepEqual((await store.stats()).rows, before.rows);
});

test('while people are being written nobody sees one of them; then everybody is there', async (t) => {
  const { domain, hooks, commits } = setUp();
  const seen = new Set<number>();
  hooks.before = async () => {
    const one = (await domain.accounts.byEmail('p1@example.com')) ? 1 : 0;
    seen.add((await domain.accounts.list()).people.length + one);
    t.is(
      (await t.throwsAsync(domain.accounts.add({ email: 'P1@example.com' }).then(() => t.fail()))) instanceof Error,
      true,
    );
  };
  // The last people are about to be written, all others are.
  const first = hooks.before;
  hooks.before = (changes) => (changes.some(({ id }) => id === 'p399@example.com') ? first(changes) : undefined);
  t.is((await domain.imports.run(crowd(400))).imported, 400);
  t.deepEqual(
    [...seen].filter((people) => people > 0),
    [],
  );
  hooks.before = undefined;
  t.truthy(await domain.accounts.byEmail('p1@example.com'));
  let people = 0;
  for (let after: string | undefined, more = true; more; ) {
    const page = await domain.accounts.list({ limit: 100, ...(after && { after }) });
    people += page.people.length;
    after = page.next;
    more = after !== undefined;
  }
  t.is(people, 400);
  t.true(commits.every((changes) => changes.length <= 200));
  await domain.close();
});

test('an address that is registered at that moment: nobody of the file is in, and the one who was first stays', async (t) => {
  const { domain, store, hooks } = setUp();
  hooks.before = async (changes) => {
    if (!changes.some((change) => change.id === 'p150@example.com')) return;
    hooks.before = undefined;
    await domain.accounts.add({ email: 'p150@example.com', name: 'First' });
  };
  t.is((await t.throwsAsync(domain.imports.run(crowd(200)))).message.includes('nobody was imported'), true);
  const { people } = await domain.accounts.list();
  t.deepEqual(
    people.map(({ name }) => name),
    ['First'],
  );
  const { rows } = await store.stats();
  t.deepEqual([rows.accounts, rows.emails, rows.imports], [1, 1, 0]);
  await domain.close();
});

test('an import cut off midway lets nobody in; a minute later the same file comes in whole', async (t) => {
  const { domain, store, hooks, time } = setUp();
  let left = 3;
  hooks.before = () => {
    if (left-- <= 0) throw new StoreUnavailable('gone');
  };
  await t.throwsAsync(domain.imports.run(crowd(400)), { instanceOf: StoreUnavailable });
  hooks.before = undefined;
  t.is(await domain.accounts.byEmail('p1@example.com'), undefined);
  t.is((await domain.accounts.list()).people.length, 0);
  t.true((await store.stats()).rows.accounts > 0, 'rows were left behind');
  t.is(((await t.throwsAsync(domain.imports.run(crowd(400)))) as { code?: string }).code, 'import_running');
  time.at += seconds(31);
  t.is((await domain.imports.run(crowd(400))).imported, 400);
  t.is((await store.stats()).rows.accounts, 400);
  t.truthy(await domain.accounts.authenticate('p400@example.com', PASSWORD));
  await domain.close();
});

test('an import that was believed dead and undone cannot go on', async (t) => {
  const { domain, store, hooks, time } = setUp();
  let commit = 0;
  hooks.before = async () => {
    if (++commit !== 3) return;
    time.at += minutes(1);
    await domain.imports.run([newcomer(1, { email: 'other@example.com' })]);
  };
  t.is(((await t.throwsAsync(domain.imports.run(crowd(400)))) as { code?: string }).code, 'import_overtaken');
  t.is((await store.stats()).rows.accounts, 1);
  t.truthy(await domain.accounts.byEmail('other@example.com'));
  await domain.close();
});

test('a password changed at the very moment of a first sign-in stays changed', async (t) => {
  const { domain, hooks } = setUp();
  await domain.imports.run(crowd(1));
  const { id } = (await domain.accounts.byEmail('p1@example.com'))!;
  hooks.before = async (changes) => {
    if (!changes.some((change) => 'put' in change && change.put === 'accounts')) return;
    hooks.before = undefined;
    await domain.accounts.setPassword(id, 'a newer password');
  };
  const signedIn = await domain.accounts.authenticate('p1@example.com', PASSWORD);
  t.is(signedIn?.epoch, 0, 'what begins with the old password ends as the change ended it');
  t.is((await domain.accounts.get(id))?.epoch, 1);
  t.is(await domain.accounts.authenticate('p1@example.com', PASSWORD), undefined);
  t.is((await domain.accounts.authenticate('p1@example.com', 'a newer password'))?.id, id);
  await domain.close();
});

test('twenty first sign-ins at once all succeed, and the password is adopted once', async (t) => {
  const { domain } = setUp();
  await domain.imports.run(crowd(1));
  const all = await Promise.all(
    Array.from({ length: 20 }, () => domain.accounts.authenticate('p1@example.com', PASSWORD)),
  );
  t.true(all.every((person) => person?.email === 'p1@example.com'));
  const { events } = await domain.audit.listForAccount(all[0]!.id);
  t.is(events.filter(({ type }) => type === 'account.password_adopted').length, 1);
  await domain.close();
});

test('a sign-in that finds no time to adopt the password succeeds all the same', async (t) => {
  const { domain, hashOf, passwords } = setUp();
  await domain.imports.run(crowd(1));
  const { hash } = passwords;
  passwords.hash = () => createPasswords({ workers: 0, queue: 0 }).hash('x');
  t.truthy(await domain.accounts.authenticate('p1@example.com', PASSWORD));
  t.is(await hashOf('p1@example.com'), CHEAP);
  passwords.hash = hash;
  t.truthy(await domain.accounts.authenticate('p1@example.com', PASSWORD));
  t.regex((await hashOf('p1@example.com'))!, /^\$argon2id/);
  await domain.close();
});

test('refusing anybody costs as much as the dearest imported hash, for as long as somebody has one', async (t) => {
  const { domain, passwords } = testDomain();
  await domain.accounts.add({ email: 'ours@example.com', password: 'long enough' });
  await domain.imports.run([
    newcomer(1, { passwordHash: HASHES.get('django pbkdf2_sha256') }),
    newcomer(2, { passwordHash: HASHES.get('werkzeug scrypt') }),
    newcomer(3, { passwordHash: undefined }),
  ]);
  const dearest = { pbkdf2: 1_000_000, scrypt: 262_144 };
  t.deepEqual(await domain.imports.work(), dearest);
  passwords.works.length = 0;
  for (const email of ['ours', 'p1', 'p2', 'p3', 'nobody'].map((name) => `${name}@example.com`))
    await domain.accounts.authenticate(email, 'wrong');
  t.deepEqual(passwords.works, Array(5).fill(dearest));
  const id = async (email: string) => (await domain.accounts.byEmail(email))!.id;
  await domain.accounts.setPassword(await id('p1@example.com'), 'long enough');
  t.deepEqual(await domain.imports.work(), dearest);
  await domain.accounts.remove(await id('p2@example.com'));
  t.deepEqual(await domain.imports.work(), {});
});
