import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { promisify } from 'node:util';
import { OutboundError } from './fault.ts';
import type { Reach } from './reach.ts';

/** Every address of a host name, in the order in which they are to be tried. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

const system = promisify(lookup);

export const systemResolve: Resolve = (host) => system(host, { all: true, order: 'verbatim' });

/**
 * Lookups that run at once. Each holds one of libuv's four threads, on which tokens are signed too, for as long as the
 * name servers keep it waiting.
 */
const AT_ONCE = 2;

/** Looks names up, each once at a time, and only so many at once. */
export function bounded(resolve: Resolve): Resolve {
  const underWay = new Map<string, ReturnType<Resolve>>();
  const waiting: (() => void)[] = [];
  let running = 0;

  async function turn(host: string): ReturnType<Resolve> {
    if (running >= AT_ONCE) await new Promise<void>((next) => waiting.push(next));
    running += 1;
    try {
      return await resolve(host);
    } finally {
      running -= 1;
      underWay.delete(host);
      waiting.shift()?.();
    }
  }

  return (host) => {
    const known = underWay.get(host);
    if (known) return known;
    const asked = turn(host);
    underWay.set(host, asked);
    return asked;
  };
}

type Answer = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/**
 * `lookup` for node:net. The addresses that were judged are the ones that are connected to: nobody asks the name servers
 * a second time, so that a name which changes its answer (DNS rebinding) gains nothing.
 */
export const guardedLookup =
  (resolve: Resolve, reach: Reach) =>
  (host: string, options: LookupOptions, answer: Answer): void => {
    resolve(host)
      .then((addresses) => {
        const good = addresses.filter(({ address }) => reach.allows(host, address));
        const [first] = good;
        if (!first) throw forbidden(host, addresses);
        if (options.all) answer(null, good);
        else answer(null, first.address, first.family);
      })
      .catch((error: Error) => answer(error, []));
  };

const forbidden = (host: string, addresses: readonly LookupAddress[]) =>
  new OutboundError(
    'forbidden',
    `${host} is at ${addresses.map(({ address }) => address).join(', ') || 'no address'}, a private network that outbound.allow does not name`,
  );
