import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { createPasswords } from '../../src/domain/index.ts';
import { NOBODY, type Work } from '../../src/domain/key-derivation.ts';
import { check, kept, understand } from '../../src/domain/password-formats.ts';
import { Refusal } from '../../src/lib/index.ts';

interface Vector {
  readonly by: string;
  readonly password: string;
  readonly hash: string;
}

/** Written by the programs themselves: test/interop/foreign_hashes.py. */
const vectors = readFileSync(new URL('./foreign-hashes.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line): Vector => JSON.parse(line));

const passwords = createPasswords({ workers: 2, queue: 1000 });
test.after.always(() => passwords.close());

for (const by of new Set(vectors.map((vector) => vector.by)))
  test(`a hash of ${by} fits the password it was made of, byte for byte`, async (t) => {
    for (const { password, hash } of vectors.filter((vector) => vector.by === by)) {
      const stored = kept(hash).hash;
      t.true(await passwords.verify(stored, password), password);
      if (password.normalize('NFKC') !== password)
        t.false(await passwords.verify(stored, password.normalize('NFKC')), 'another spelling');
    }
  });

for (const { by, password, hash } of vectors.filter(({ by }) => /,|argon2i/.test(by)))
  test(`a hash of ${by} fits no password but its own: ${password.slice(0, 20)}`, async (t) => {
    for (const wrong of ['', `${password.slice(0, 30)}?`, hash])
      t.false(await passwords.verify(kept(hash).hash, wrong), wrong);
  });

test('a hash that was imported is never taken for one of ours', (t) => {
  for (const { hash } of vectors) t.not(understand(kept(hash).hash).by, 'own');
  t.is(understand('$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA').by, 'own');
});

const SALTED = '$Zm9vYmFyYmF6cXV1eA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
const hex = (length: number) => '0'.repeat(length);

for (const [fact, hash] of [
  ['a thousand million iterations of PBKDF2', `pbkdf2_sha256$1000000000$salt$${'A'.repeat(43)}=`],
  ['the same from werkzeug', `pbkdf2:sha256:1000000000$salt$${hex(64)}`],
  ['the same from passlib', `$pbkdf2-sha256$1000000000$c2FsdA$${'A'.repeat(43)}`],
  ['no iteration at all', `pbkdf2_sha256$0$salt$${'A'.repeat(43)}=`],
  ['scrypt that wants a terabyte', `scrypt:1073741824:8:1$salt$${hex(128)}`],
  ['scrypt with many small lanes', `scrypt:2:1:1000000000$salt$${hex(128)}`],
  ['scrypt with an N that is no power of two', `scrypt:1000:8:1$salt$${hex(128)}`],
  ['scrypt of nothing', `scrypt:0:8:1$salt$${hex(128)}`],
  ['bcrypt with a cost of 31', `$2b$31$${'a'.repeat(53)}`],
  ['bcrypt with a cost of 3', `$2b$03$${'a'.repeat(53)}`],
  ['the same from Django', `bcrypt_sha256$$2b$31$${'a'.repeat(53)}`],
  ['argon2 that wants four terabytes', `$argon2id$v=19$m=4294967295,t=1,p=1${SALTED}`],
  ['argon2 with a million passes', `argon2$argon2id$v=19$m=65536,t=1000000,p=1${SALTED}`],
  ['argon2 with a thousand lanes', `$argon2id$v=19$m=65536,t=1,p=1000${SALTED}`],
  ['argon2 with less memory than lanes', `$argon2id$v=19$m=8,t=1,p=4${SALTED}`],
  ['argon2 without passes', `$argon2id$v=19$m=65536,t=0,p=1${SALTED}`],
] as const)
  test(`${fact} is refused before it costs anybody anything`, (t) => {
    const { code } = t.throws(() => kept(hash), { instanceOf: Refusal });
    t.is(code, 'hash_costly');
  });

for (const hash of [
  '',
  'password',
  '5f4dcc3b5aa765d61d8327deb882cf99',
  'md5$salt$5f4dcc3b5aa765d61d8327deb882cf99',
  'sha1$salt$0000000000000000000000000000000000000000',
  'pbkdf2_sha1$1000$salt$AAAA',
  'pbkdf2_sha256$$salt$AAAA',
  `pbkdf2_sha256$1000$$${'A'.repeat(43)}=`,
  `pbkdf2_sha256$-1$salt$${'A'.repeat(43)}=`,
  `pbkdf2:sha256$salt$${hex(64)}`,
  `$argon2id$v=16$m=65536,t=1,p=1${SALTED}`,
  `$argon2id$v=19$m=65536,t=1,p=1,keyid=AAAA${SALTED}`,
  `$2x$10$${'a'.repeat(53)}`,
  '!unusable',
  `scrypt:1024:8:1$salt$${hex(128)}\n`,
])
  test(`${JSON.stringify(hash).slice(0, 50)} is no hash known here`, (t) => {
    t.is(t.throws(() => kept(hash), { instanceOf: Refusal }).code, 'hash_unknown');
  });

test('an argon2 hash whose base64 no encoder writes is refused when it comes, not when somebody signs in', (t) => {
  const sums = ['utLJajHdGrlJVbrOekGpz35IP6vf0jGZ3Nfi6BdSG9/', 'utLJajHdGrlJVbrOekGpz35IP6vf0jGZ3Nfi6BdSG'];
  for (const sum of sums)
    t.is(
      t.throws(() => kept(`$argon2i$v=19$m=64,t=1,p=2$IP8PL24dT/0S230HoCgkAQ$${sum}`), { instanceOf: Refusal }).code,
      'hash_unknown',
    );
});

test('whatever is given as a hash is refused or verifiable, and quickly either way', async (t) => {
  const mangled = fc
    .tuple(
      fc.constantFrom(...vectors.map(({ hash }) => hash)),
      fc.nat(150),
      fc.string({ unit: 'binary', maxLength: 3 }),
    )
    .map(([hash, at, piece]) => hash.slice(0, at) + piece + hash.slice(at + piece.length));
  let verifiable = 0;
  await fc.assert(
    fc.asyncProperty(fc.oneof(mangled, fc.string({ unit: 'binary' })), async (text) => {
      try {
        const { hash, by, work } = kept(text);
        verifiable += 1;
        if (by === 'own') throw new Error('taken for ours');
        // Those that are cheap are tried.
        const cheap = { pbkdf2: 10_000, scrypt: 8192, bcrypt: 16, argon2: 64 }[by];
        if (work <= cheap) await passwords.verify(hash, 'x');
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
      }
    }),
    { numRuns: 150 },
  );
  t.true(verifiable > 0);
});

test('a refusal does the work of the dearest hash there is, whichever hash the person has', (t) => {
  const cheap = kept(vectors.find(({ by }) => by === 'django pbkdf2_sha256, 10,000')!.hash).hash;
  const dear = { pbkdf2: 600_000 };
  /** Processor time of this thread: what else the machine does is not counted, but for what it does to the caches. */
  const once = (hash: string | undefined, work: Work): number => {
    const before = process.threadCpuUsage();
    t.false(check(hash, 'x', work));
    return process.threadCpuUsage(before).user / 1000;
  };
  // In turn, so that a machine that slows down slows all of them.
  const rounds = Array.from({ length: 5 }, () => [
    once(undefined, dear),
    once(cheap, dear),
    once(NOBODY, dear),
    once(NOBODY, {}),
  ]);
  const cost = (which: number): number => Math.min(...rounds.map((round) => round[which]!));
  const [unknown, imported, ours, plain] = [cost(0), cost(1), cost(2), cost(3)];
  t.log(`unknown ${unknown | 0} ms, imported ${imported | 0} ms, ours ${ours | 0} ms, without imports ${plain | 0} ms`);
  // Work that is not made up is nearly all of it.
  for (const other of [imported, ours]) t.true(other > unknown / 3 && other < unknown * 3, `${other} ${unknown}`);
  t.true(unknown > plain * 3);
});
