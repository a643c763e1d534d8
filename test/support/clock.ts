const real = Date.now;
let offset = 0;
let back = 0;
let held = false;
let stopped: { readonly wall: number; readonly monotonic: number } | undefined;

/** Lets {@link pass} move the time of this process. */
export function hold(): void {
  if (held) return;
  held = true;
  Date.now = () => (stopped?.wall ?? real()) + offset - back;
  // The monotonic clock goes along, or the server would take the step for a jump of the wall clock.
  const monotonic = performance.now.bind(performance);
  performance.now = () => (stopped?.monotonic ?? monotonic()) + offset;
}

/** Lets time pass for every part of this process, the engine included. */
export function pass(milliseconds: number): void {
  hold();
  offset += milliseconds;
}

/** From here on no time passes by itself, however slow the machine is; only what {@link pass} lets pass. */
export function stop(): void {
  hold();
  stopped = { wall: real(), monotonic: performance.now() - offset };
}

/** Somebody sets the wall clock of this process back, and time passes on from there. */
export function setBack(milliseconds: number): void {
  hold();
  back += milliseconds;
}
