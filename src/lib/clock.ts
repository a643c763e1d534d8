import { hours, minutes, seconds } from './durations.ts';

/** Milliseconds since the epoch. Everything that asks for the time takes one of these, so that tests can hold it. */
export type Clock = () => number;

/** A step of the wall clock up to this is an adjustment; a larger one is a jump. */
const ADJUSTMENT = minutes(5);
/** A jump forward that has lasted this long was no mistake: the machine was asleep, or its clock has been set right. */
const BELIEVED_AFTER = hours(1);

/**
 * The wall clock, protected against jumps: it never goes back, and moves with the monotonic clock whatever the wall says,
 * following only small adjustments forward, and a jump forward once that has lasted an hour. A clock set back an hour
 * revives no expired token, and one set forward a year by mistake collects nothing that is still live.
 * @param floor the last moment the store wrote down: a restart does not go back behind it either.
 */
export function steadyClock(wall: Clock = Date.now, monotonic: Clock = () => performance.now(), floor = 0): Clock {
  const start = Math.max(wall(), floor) - monotonic();
  let offset = 0;
  let jumpSeenAt: number | undefined;

  return () => {
    const elapsed = monotonic();
    const ahead = wall() - (start + elapsed + offset);
    if (ahead < ADJUSTMENT) {
      jumpSeenAt = undefined;
      offset += Math.max(0, ahead);
    } else {
      jumpSeenAt ??= elapsed;
      if (elapsed - jumpSeenAt >= BELIEVED_AFTER) offset += ahead;
    }
    return Math.floor(start + elapsed + offset);
  };
}

/** Below this the two clocks differ by rounding and adjustments alone. */
const APART = seconds(1);

/**
 * A moment of the wall clock, which tokens are dated by, in the time of `now`: that stays ahead once the wall clock was set
 * back, and what begins then would be over for it at once.
 */
export function inTimeOf(now: Clock, wall: number): number {
  const ahead = now() - Date.now();
  return ahead > APART ? wall + ahead : wall;
}
