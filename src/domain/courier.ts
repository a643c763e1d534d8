import { type Duration, type Logger, milliseconds, minutes, Refusal, seconds } from '../lib/index.ts';
import type { Change } from '../store/index.ts';
import type { Claim, Deliveries, DeliveryKind, Payloads } from './deliveries.ts';

/**
 * Does what a delivery asks. What it returns is committed together with the delivery's end. It rejects to be tried
 * again later, and with a {@link Undeliverable} where trying again cannot help. `signal` says that nobody waits any more.
 */
export type Handler<K extends DeliveryKind> = (
  payload: Payloads[K],
  about: { readonly reference: string; readonly attempt: number; readonly signal: AbortSignal },
) => Promise<readonly Change[] | undefined>;

export type Handlers = { readonly [K in DeliveryKind]?: Handler<K> };

/** Trying again cannot help: the other side has refused for good. */
export class Undeliverable extends Refusal {
  constructor(message: string, options?: ErrorOptions) {
    super('undeliverable', message, options);
  }
}

interface Courier {
  /** Begins no more, gives what is under way a moment, and puts the rest off. */
  close(): Promise<void>;
}

interface Options {
  readonly deliveries: Deliveries;
  readonly handlers: Handlers;
  readonly log: Logger;
  /** Attempts of one kind at the same time. */
  readonly atOnce?: number;
  /** How often is looked for what other processes left. */
  readonly lookEvery?: Duration;
}

/** An attempt is over after this long, well before its lease is. */
const PATIENCE = seconds(60);
const LEASE = minutes(2);
/** From an enqueueing to the look at it: its commit takes a moment. */
const A_MOMENT = milliseconds(30);
/** What is under way when the process ends may take this long. */
const GRACE = seconds(3);

/** Does what was enqueued, in the background: each kind in a lane of its own, so that a slow one holds up no other. */
export function startCourier({ deliveries, handlers, log, atOnce = 4, lookEvery = seconds(2) }: Options): Courier {
  const ending = new AbortController();
  let closing = false;
  const underWay = new Set<Promise<void>>();
  const lanes = (Object.keys(handlers) as DeliveryKind[]).map((kind) => createLane(kind));

  function createLane<K extends DeliveryKind>(kind: K) {
    const handle = handlers[kind] as Handler<K>;
    let running = 0;
    let looking = false;
    let expecting = 0;
    let timer: NodeJS.Timeout | undefined;
    let nextLook = Number.POSITIVE_INFINITY;

    /** An earlier look that is planned already stays. */
    function lookIn(wait: Duration): void {
      const at = performance.now() + wait;
      if (closing || at >= nextLook) return;
      clearTimeout(timer);
      nextLook = at;
      timer = setTimeout(look, wait).unref();
    }

    /** Claims as long as there is something due and a hand free. */
    async function look(): Promise<void> {
      nextLook = Number.POSITIVE_INFINITY;
      if (looking || running >= atOnce) return;
      looking = true;
      let wait = expecting-- > 0 ? A_MOMENT : lookEvery;
      try {
        while (running < atOnce && !closing) {
          const found = await deliveries.claim(kind, LEASE);
          if (!found.claim) {
            wait = Math.min(wait, found.wait ?? wait);
            break;
          }
          carry(found.claim);
        }
      } catch (err) {
        log.debug({ err, kind }, 'looking for deliveries failed');
      } finally {
        looking = false;
        lookIn(wait);
      }
    }

    function carry(claim: Claim<K>): void {
      running += 1;
      const work = attempt(kind, handle, claim).finally(() => {
        running -= 1;
        underWay.delete(work);
        lookIn(0);
      });
      underWay.add(work);
    }

    lookIn(0);
    return {
      kind,
      /** Something is on its way into the store. */
      expect() {
        expecting = 5;
        lookIn(A_MOMENT);
      },
      stop: () => clearTimeout(timer),
    };
  }

  async function attempt<K extends DeliveryKind>(kind: K, handle: Handler<K>, claim: Claim<K>): Promise<void> {
    const { reference, attempt: number } = claim;
    const told = { kind, reference, attempt: number };
    const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(PATIENCE)]);
    try {
      const also = await inTime(signal, handle(claim.payload, { reference, attempt: number, signal }));
      if (!(await claim.done(also))) log.warn(told, 'a delivery took longer than its lease: it may happen twice');
    } catch (err) {
      await putOff(claim, told, err);
    }
  }

  async function putOff(claim: Claim, told: object, err: unknown): Promise<void> {
    try {
      const outcome = err instanceof Undeliverable ? await claim.giveUp() : await claim.failed();
      if (outcome === 'put off') log.warn({ ...told, err }, 'a delivery failed and will be tried again');
      else log.error({ ...told, err }, 'a delivery was given up');
    } catch (again) {
      log.error({ ...told, err: again }, 'a delivery failed, and so did putting it off: it is tried again later');
    }
  }

  const stopListening = deliveries.onEnqueue((kind) => lanes.find((lane) => lane.kind === kind)?.expect());

  return {
    async close() {
      closing = true;
      stopListening();
      for (const lane of lanes) lane.stop();
      const grace = setTimeout(() => ending.abort(new Error('the server is stopping')), underWay.size ? GRACE : 0);
      await Promise.allSettled([...underWay]);
      clearTimeout(grace);
      ending.abort();
    },
  };
}

/** Rejects when nobody waits any more, whether the work listens or not. */
function inTime<R>(signal: AbortSignal, work: Promise<R>): Promise<R> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    work.then(resolve, reject);
  });
}
