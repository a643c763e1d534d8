import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { createPasswords } from '../../src/domain/index.ts';
import { NOBODY } from '../../src/domain/key-derivation.ts';
import { Refusal } from '../../src/lib/index.ts';

test('a password is kept as argon2id at 19 MiB, two passes, one lane, and only itself fits', async (t) => {
  const passwords = createPasswords();
  const hash = await passwords.hash('correct horse');
  t.regex(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  t.true(await passwords.verify(hash, 'correct horse'));
  t.false(await passwords.verify(hash, 'wrong horse'));
  t.not(await passwords.hash('correct horse'), hash);
  await passwords.close();
});

test('a password typed on another keyboard is the same password', async (t) => {
  const passwords = createPasswords();
  t.true(await passwords.verify(await passwords.hash('caf\u00e9 cafe\u0301'), 'cafe\u0301 caf\u00e9'));
  await passwords.close();
});

test('the decoy asks for the very cost every password here is kept with', async (t) => {
  const passwords = createPasswords();
  const [, cost] = /^(\$argon2id\$v=19\$[^$]+\$)/.exec(await passwords.hash('x')) ?? [];
  t.true(NOBODY.startsWith(`${cost}`));
  await t.notThrowsAsync(passwords.decoy('whatever'));
  await passwords.close();
});

interface Priorities {
  readonly main: string;
  readonly before: Readonly<Record<string, number>>;
  readonly during: Readonly<Record<string, number>>;
}

test('only the hashing threads give way to others; the rest of the process keeps its priority', async (t) => {
  const script = fileURLToPath(new URL('../support/hashing-priorities.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  const { main, before, during } = JSON.parse(stdout) as Priorities;
  const own = before[main]!;
  const low = Object.values(during).filter((nice) => nice === Math.max(10, own));
  // Where everything here is that low already, there is nothing to tell apart.
  if (own < 10) t.is(low.length, 2);
  for (const [thread, nice] of Object.entries(before)) t.is(during[thread] ?? nice, nice, `thread ${thread}`);
});

test('what comes when the queue is full is refused at once, and what was taken is done', async (t) => {
  const passwords = createPasswords({ workers: 1, queue: 3 });
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => passwords.decoy('x')));
  const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  t.is(refused.length, 6);
  t.true(refused.every((error) => error instanceof Refusal && error.code === 'busy'));
  await t.notThrowsAsync(passwords.decoy('x'));
  await passwords.close();
});

test('a hash that is none rejects as a fault of ours, and the thread goes on', async (t) => {
  const passwords = createPasswords({ workers: 1 });
  const error = await t.throwsAsync(passwords.verify('not a hash', 'x'));
  t.false(error instanceof Refusal);
  t.regex(await passwords.hash('x'), /^\$argon2id/);
  await passwords.close();
});

test('a thread that dies fails its job alone, and another takes its place', async (t) => {
  const passwords = createPasswords({ workers: 1, threadUrl: new URL('../support/dying-thread.ts', import.meta.url) });
  const [died, lived] = await Promise.allSettled([passwords.hash('die'), passwords.hash('live')]);
  t.is(died.status, 'rejected');
  t.deepEqual(lived, { status: 'fulfilled', value: 'live' });
  await passwords.close();
});

test('closing rejects what waits and what runs, and takes nothing more', async (t) => {
  const passwords = createPasswords({ workers: 1 });
  const waiting = Promise.allSettled([passwords.hash('a'), passwords.hash('b')]);
  await passwords.close();
  t.true((await waiting).every(({ status }) => status === 'rejected'));
  await t.throwsAsync(passwords.hash('c'));
});
