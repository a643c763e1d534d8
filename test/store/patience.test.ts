import test from 'ava';
import { milliseconds, seconds } from '../../src/lib/index.ts';
import { Patience, StoreUnavailable } from '../../src/store/index.ts';
import { inTime } from '../../src/store/patience.ts';

const never = () => new Promise<never>(() => {});
const LONG = seconds(600);

/** A patience by a clock of its own, which only a call moves. */
function patient(limit: number) {
  let now = 0;
  const calls: number[] = [];
  return {
    patience: new Patience(limit, () => now),
    calls,
    call: (takes: number) =>
      inTime(LONG, async (left) => {
        calls.push(left);
        now += takes;
      }),
    pass(time: number) {
      now += time;
    },
  };
}

test('calls one after the other share one patience, and none is made when it is over', async (t) => {
  const { patience, calls, call } = patient(100_000);
  await patience.run(async () => {
    await call(60_000);
    await call(30_000);
    await call(30_000);
    await t.throwsAsync(call(1), { instanceOf: StoreUnavailable });
  });
  t.deepEqual(calls, [100_000, 40_000, 10_000]);
});

test('calls at the same time cost the time of the longest', async (t) => {
  const { patience, calls, call, pass } = patient(100_000);
  await patience.run(async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const both = [inTime(LONG, () => promise), inTime(LONG, () => promise)];
    pass(40_000);
    resolve();
    await Promise.all(both);
    await call(0);
  });
  t.deepEqual(calls, [60_000]);
});

test('what is done between calls costs no patience', async (t) => {
  const { patience, calls, call, pass } = patient(100_000);
  await patience.run(async () => {
    await call(10_000);
    pass(500_000);
    await call(0);
  });
  t.deepEqual(calls, [100_000, 90_000]);
});

test('what goes on when nobody waits any more has its time', async (t) => {
  const { patience, calls, call } = patient(10_000);
  await patience.run(async () => {
    await call(20_000);
    patience.end();
    await call(0);
  });
  t.deepEqual(calls, [10_000, LONG]);
});

test('a call that is never answered ends with the patience, or with its own limit', async (t) => {
  const impatient = new Patience(milliseconds(20));
  await t.throwsAsync(
    impatient.run(() => inTime(LONG, never)),
    { instanceOf: StoreUnavailable },
  );
  const patient = new Patience(LONG);
  await t.throwsAsync(
    patient.run(() => inTime(milliseconds(20), never)),
    { instanceOf: StoreUnavailable },
  );
  await t.throwsAsync(inTime(milliseconds(20), never), { instanceOf: StoreUnavailable });
});
