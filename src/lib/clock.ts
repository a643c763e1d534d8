import { minutes } from './durations.ts';

/** Milliseconds since the epoch. Everything that asks for the time takes one of these, so that tests can hold it. */
export type Clock = () => number;

/**
 * The wall clock, protected against jumps: after the start it moves with the monotonic clock, following the wall only
 * while the two agree within five minutes. A clock set back an hour revives no expired token, and one set forward a
 * year collects nothing that is still live; both are believed after a restart, when `floor` (the last moment the store
 * wrote down) still forbids going back.
 */
export function steadyClock(wall: Clock = Date.now, monotonic: Clock = () => performance.now(), floor = 0): Clock {
  const startWall = Math.max(wall(), floor);
  const startMonotonic = monotonic();
  let offset = 0;
  return () => {
    const expected = startWall + (monotonic() - startMonotonic) + offset;
    const drift = wall() - expected;
    if (Math.abs(drift) < minutes(5)) offset += drift;
    return Math.floor(Math.abs(drift) < minutes(5) ? expected + drift : expected);
  };
}
