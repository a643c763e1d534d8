const real = Date.now;
let offset = 0;
let back = 0;
let held = false;

/** Lets {@link pass} move the time of this process. */
export function hold(): void {
  if (held) return;
  held = true;
  Date.now = () => real() + offset - back;
  // The monotonic clock goes along, or the server would take the step for a jump of the wall clock.
  const monotonic = performance.now.bind(performance);
  performance.now = () => monotonic() + offset;
}

/** Lets time pass for every part of this process, the engine included. */
export function pass(milliseconds: number): void {
  hold();
  offset += milliseconds;
}

/** Somebody sets the wall clock of this process back, and time passes on from there. */
export function setBack(milliseconds: number): void {
  hold();
  back += milliseconds;
}
