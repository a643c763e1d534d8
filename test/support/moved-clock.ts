/**
 * Loaded into a server before its own code (`node --import`): the clocks of that process, moved by messages of the test
 * that started it. Nothing else of the server is changed.
 */
export interface ClockMove {
  /** Milliseconds the wall clock jumps by. */
  wall: number;
  /** Milliseconds the monotonic clock goes on by: with the wall, time passed; without it, the wall was set. */
  monotonic: number;
}

const RealDate = Date;
const realNow = performance.now.bind(performance);
let { wall, monotonic } = JSON.parse(process.env['MOVED_CLOCK'] ?? '{"wall":0,"monotonic":0}') as ClockMove;

const now = (): number => RealDate.now() + wall;

/** `new Date()` goes along with `Date.now()`. */
globalThis.Date = new Proxy(RealDate, {
  construct: (target, given, newTarget) =>
    Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget) as object,
  get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
});
performance.now = () => realNow() + monotonic;

/** What is done every so often is done so many times as often. */
const hurry = Number(process.env['MOVED_CLOCK_HURRY'] ?? 1);
const realInterval = globalThis.setInterval;
if (hurry > 1)
  globalThis.setInterval = ((work: () => void, interval = 0) =>
    realInterval(work, interval / hurry)) as typeof setInterval;

// What a worker is told comes from its primary.
if (!process.argv.includes('--worker')) {
  process.on('message', (move: ClockMove) => {
    wall += move.wall;
    monotonic += move.monotonic;
    process.send?.('moved');
  });
  // A server that is left by its test must be able to end.
  process.channel?.unref();
}
