import type { Context, Middleware } from 'koa';
import { networkOf } from '../domain/index.ts';
import { type Clock, type Duration, inSeconds, seconds } from '../lib/index.ts';
import { HttpRefusal } from './refusals.ts';
import { stateOf } from './state.ts';

/** How many sign-ins one network may begin on one machine: so many at once, and then so many a second. */
const PACE = { burst: 2000, perSecond: 20 } as const;

interface Bucket {
  readonly left: number;
  readonly at: number;
}

interface Options {
  readonly now: Clock;
  readonly pace?: { readonly burst: number; readonly perSecond: number };
  /** Processes among which a network's connections are spread: each lets a part through. */
  readonly processes?: number;
}

/** Networks remembered at once; beyond that the one longest quiet is forgotten, which has filled up again by then. */
const MOST_NETWORKS = 10_000;

export type Pace = ReturnType<typeof createPace>;

/**
 * Bounds what strangers can make the server remember: each request to `/authorize` may leave an interaction in the store
 * for an hour, and each that anybody's client pushes another row for a minute. A token bucket per network, in
 * memory. Loopback is not limited: it is the machine itself, or a proxy that `trusted_proxies` does not name, behind which
 * everybody would share one bucket.
 */
export function createPace({ now, pace: whole = PACE, processes = 1 }: Options) {
  const pace = { burst: Math.ceil(whole.burst / processes), perSecond: whole.perSecond / processes };
  const buckets = new Map<string, Bucket>();
  const refill: Duration = seconds(1 / pace.perSecond);

  function take(network: string): number {
    const { left, at } = buckets.get(network) ?? { left: pace.burst, at: now() };
    const filled = Math.min(pace.burst, left + (now() - at) / refill);
    // Put last again: the first of the map is the one longest quiet.
    buckets.delete(network);
    buckets.set(network, { left: Math.max(0, filled - 1), at: now() });
    if (buckets.size > MOST_NETWORKS) buckets.delete(buckets.keys().next().value ?? '');
    return filled < 1 ? Math.ceil((1 - filled) * refill) : 0;
  }

  /** Whether one more sign-in may begin there: undefined, or how long until it may. */
  function begin(address: string): Duration | undefined {
    if (address === '::1' || address.startsWith('127.')) return undefined;
    return take(networkOf(address)) || undefined;
  }

  /** Counts one that begins. @throws HttpRefusal where that is too fast */
  function count(ctx: Pick<Context, 'state'>): void {
    const wait = begin(stateOf(ctx).address ?? '');
    if (wait === undefined) return;
    throw new HttpRefusal('too_many_sign_ins', 'There were too many requests. Please try again later.', {
      status: 429,
      error: 'temporarily_unavailable',
      reason: 'tooMany',
      rule: `one network may begin ${whole.burst} sign-ins at once and ${whole.perSecond} a second after that`,
      headers: { 'Retry-After': String(Math.max(1, inSeconds(wait))) },
    });
  }

  const paced: Middleware = (ctx, next) => {
    if (stateOf(ctx).endpoint?.path === '/authorize') count(ctx);
    return next();
  };
  return { begin, count, paced };
}
