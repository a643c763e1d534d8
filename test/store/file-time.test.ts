import test from 'ava';
import { days, hours, milliseconds, minutes, seconds, steadyClock } from '../../src/lib/index.ts';
import { FaultyDisk } from './faults.ts';
import { folderFor, open, quick } from './folders.ts';
import { artifact, guess } from './records.ts';

const START = Date.UTC(2026, 0, 1);

/** A machine whose wall clock the test sets, and whose store has the clock the server gives it. */
function machine() {
  const time = { wall: START, monotonic: 0 };
  const clock = (floor: number) =>
    steadyClock(
      () => time.wall,
      () => time.monotonic,
      floor,
    );
  const pass = (ms: number) => {
    time.wall += ms;
    time.monotonic += ms;
  };
  return { time, clock, pass };
}

test('a clock set back an hour revives no expired token, not while running and not with a restart', async (t) => {
  const { time, clock, pass } = machine();
  const folder = await folderFor(t);
  let store = await open(folder, { clock });
  await store.commit([{ put: 'access_tokens', id: 't', record: artifact(), expiresAt: START + minutes(15) }]);
  pass(minutes(15));
  t.is(await store.get('access_tokens', 't'), undefined);
  time.wall -= hours(1);
  t.is(await store.get('access_tokens', 't'), undefined);
  await store.close();
  store = await open(folder, { clock });
  t.true(store.lastWrittenAt >= START + minutes(15));
  t.is(await store.get('access_tokens', 't'), undefined);
  await store.close();
});

test('a clock set forward a year by mistake collects nothing that is alive', async (t) => {
  const { time, clock } = machine();
  const store = await open(await folderFor(t), { clock });
  await store.commit([{ put: 'refresh_tokens', id: 't', record: artifact(), expiresAt: START + days(30) }]);
  time.wall += days(365);
  t.is(await store.sweep(store.now()), 0);
  t.truthy(await store.get('refresh_tokens', 't'));
  await store.close();
});

test('a relaxed commit is acknowledged before it is on the disk, where it is within 200 ms', async (t) => {
  const files = new FaultyDisk();
  const store = await open(await folderFor(t), { files });
  const after: number[] = [];
  for (let n = 0; n < 3; n += 1) {
    const { promise: synced, resolve } = Promise.withResolvers<number>();
    let onDisk = false;
    files.fault = (what) => {
      onDisk ||= what === 'datasync';
      if (onDisk) resolve(performance.now());
    };
    await store.commit([{ put: 'guesses', id: 'g', record: guess(n) }]);
    t.false(onDisk);
    const acknowledged = performance.now();
    after.push((await synced) - acknowledged);
    await store.commit([{ remove: 'accounts', id: 'nobody' }]);
  }
  t.log(`synced ${after.map((ms) => ms.toFixed(0)).join(', ')} ms after it was acknowledged`);
  // The quickest, because a busy machine may keep any one waiting.
  t.true(Math.min(...after) < 200);
  await store.close();
});

test('sweeping 150,000 expired rows never holds the event loop for long', async (t) => {
  let now = START;
  const store = await open(await folderFor(t), { clock: () => () => now, files: quick });
  for (let n = 0; n < 150; n += 1) {
    const record = artifact({ accountId: `usr_${n % 50}`, grantId: `grt_${n}` });
    const changes = Array.from({ length: 1000 }, (_, i) => ({
      put: 'access_tokens' as const,
      id: `t${(i * 7919) % 1000}-${n}`,
      record,
      expiresAt: START + milliseconds(n),
    }));
    await store.commit(changes);
  }
  await store.find('access_tokens', 'all', '');
  await store.settled;
  now += seconds(1);
  let longest = 0;
  let last = performance.now();
  let sweeping = true;
  const watch = () => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
    if (sweeping) setImmediate(watch);
  };
  watch();
  const startedAt = performance.now();
  t.is(await store.sweep(now), 150_000);
  sweeping = false;
  t.log(
    `${(performance.now() - startedAt).toFixed(0)} ms in all, the event loop held for ${longest.toFixed(1)} ms at most`,
  );
  t.true(longest < 500);
  await store.close();
});
