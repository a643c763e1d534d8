import test from 'ava';
import { days, hours, minutes, seconds, steadyClock } from '../../src/lib/index.ts';

/** A wall clock and a monotonic one that the test moves. */
function clocks(floor = 0) {
  const time = { wall: Date.UTC(2026, 0, 1), monotonic: 5000 };
  const now = steadyClock(
    () => time.wall,
    () => time.monotonic,
    floor,
  );
  const begin = now();
  return {
    begin,
    now,
    pass(ms: number) {
      time.wall += ms;
      time.monotonic += ms;
    },
    set(ms: number) {
      time.wall += ms;
    },
  };
}

test('time passes as the wall clock shows it', (t) => {
  const { begin, now, pass } = clocks();
  pass(days(40));
  t.is(now(), begin + days(40));
});

test('a clock set back an hour takes nothing back, at once or in steps', (t) => {
  const { begin, now, pass, set } = clocks();
  set(-hours(1));
  t.is(now(), begin);
  for (let step = 0; step < 15; step++) {
    set(-minutes(4));
    pass(seconds(1));
    now();
  }
  t.is(now(), begin + seconds(15));
});

test('a clock set forward a year by mistake, and back, moves nothing', (t) => {
  const { begin, now, pass, set } = clocks();
  set(days(365));
  t.is(now(), begin);
  pass(minutes(10));
  t.is(now(), begin + minutes(10));
  set(-days(365));
  pass(hours(2));
  t.is(now(), begin + hours(2) + minutes(10));
});

test('a small adjustment forward is followed', (t) => {
  const { begin, now, set } = clocks();
  set(seconds(90));
  t.is(now(), begin + seconds(90));
});

test('a jump forward that lasts an hour is believed: the machine was asleep', (t) => {
  const { begin, now, pass, set } = clocks();
  set(hours(8));
  now();
  pass(hours(1));
  t.is(now(), begin + hours(9));
});

test('it never runs behind the last moment that was written down', (t) => {
  const floor = Date.UTC(2026, 0, 1) + minutes(4);
  const { begin, now, pass } = clocks(floor);
  t.is(begin, floor);
  pass(minutes(1));
  t.is(now(), floor + minutes(1));
});
