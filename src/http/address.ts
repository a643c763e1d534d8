import type { Middleware } from 'koa';
import { type Networks, networksOf, parseAddress } from '../lib/index.ts';
import { stateOf } from './state.ts';

/** Stands for a peer whose address the operating system no longer knows: its socket is gone. */
const UNKNOWN = '0.0.0.0';

/**
 * Puts the person's address into `ctx.state.address`: the peer's, or, where the peer is a trusted proxy, what it says in
 * X-Forwarded-For, read from the right for as long as the speaker is trusted. The header is then dropped, so that
 * nothing below can believe more of it.
 */
export function clientAddress(trustedProxies: readonly string[]): Middleware {
  const trusted = networksOf(trustedProxies);
  return (ctx, next) => {
    const { headers, socket } = ctx.req;
    const address = addressOf(socket.remoteAddress, headers['x-forwarded-for'], trusted);
    delete headers['x-forwarded-for'];
    ctx.request.ip = address;
    stateOf(ctx).address = address;
    return next();
  };
}

/** The first address, from the peer outwards, that no trusted proxy has. What cannot be read ends the walk. */
export function addressOf(peer: string | undefined, forwarded: unknown, trusted: Networks): string {
  let address = parseAddress(peer ?? '') ?? UNKNOWN;
  const hops = typeof forwarded === 'string' ? forwarded.split(',') : [];
  while (trusted.has(address)) {
    const said = hops.pop();
    const next = said === undefined ? undefined : parseAddress(said);
    if (next === undefined) break;
    address = next;
  }
  return address;
}
