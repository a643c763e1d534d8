import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { Middleware } from 'koa';
import { Refusal } from '../lib/index.ts';
import { stateOf } from './state.ts';

/** Stands for a peer whose address the operating system no longer knows: its socket is gone. */
const UNKNOWN = '0.0.0.0';

/**
 * Puts the person's address into `ctx.state.address`: the peer's, or, where the peer is a trusted proxy, what it says in
 * X-Forwarded-For, read from the right for as long as the speaker is trusted. The header is then dropped, so that
 * nothing below can believe more of it.
 * @throws Refusal `bad_trusted_proxies` at once, for the setting.
 */
export function clientAddress(trustedProxies: readonly string[]): Middleware {
  const trusted = parseNetworks(trustedProxies);
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
export function addressOf(peer: string | undefined, forwarded: unknown, trusted: BlockList): string {
  let address = parseAddress(peer ?? '') ?? UNKNOWN;
  const hops = typeof forwarded === 'string' ? forwarded.split(',') : [];
  while (trusted.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')) {
    const said = hops.pop();
    const next = said === undefined ? undefined : parseAddress(said);
    if (next === undefined) break;
    address = next;
  }
  return address;
}

/** An address in its one canonical form (RFC 5952), an IPv4-mapped one as IPv4, a port and a zone cut off. */
export function parseAddress(text: string): string | undefined {
  const said = text.trim();
  const [bare = ''] = (/^\[([^\]]*)\](?::\d{1,5})?$/.exec(said)?.[1] ?? said).split('%', 1);
  const v4 = bare.replace(/:\d{1,5}$/, '');
  if (isIPv4(v4)) return v4;
  if (!isIPv6(bare)) return undefined;
  const canonical = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical) ?? [];
  if (high === undefined || low === undefined) return canonical;
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [a >> 8, a & 255, b >> 8, b & 255].join('.');
}

/**
 * Reads addresses and CIDR ranges (`10.0.0.0/8`, `fd00::/8`, `192.0.2.7`).
 * @throws Refusal `bad_trusted_proxies` naming the first that is neither.
 */
export function parseNetworks(texts: readonly string[]): BlockList {
  const networks = new BlockList();
  for (const text of texts) {
    const [address = '', prefix, ...rest] = text.split('/');
    const family = isIPv4(address) ? 'ipv4' : isIPv6(address) && !address.includes('%') ? 'ipv6' : undefined;
    const bits = family === 'ipv4' ? 32 : 128;
    const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
    if (!family || !(length <= bits) || rest.length > 0) throw bad(text, 'is no address and no CIDR range');
    if (family === 'ipv6' && isIPv4(parseAddress(address) ?? '')) throw bad(text, 'must be written as IPv4');
    if (length === 0) throw bad(text, 'trusts everyone, so that anybody could claim any address');
    networks.addSubnet(address, length, family);
  }
  return networks;
}

const bad = (text: string, why: string) =>
  new Refusal('bad_trusted_proxies', `trusted_proxies: ${JSON.stringify(text)} ${why}`);
