import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** An address in its one canonical form (RFC 5952), an IPv4-mapped one as IPv4, a port and a zone cut off. */
export function parseAddress(text: string): string | undefined {
  const said = text.trim();
  const [bare = ''] = (/^\[([^\]]*)\](?::\d{1,5})?$/.exec(said)?.[1] ?? said).split('%', 1);
  const v4 = bare.replace(/:\d{1,5}$/, '');
  if (isIPv4(v4)) return v4;
  if (!isIPv6(bare)) return undefined;
  const canonical = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  return embeddedIPv4(canonical, '::ffff:') ?? canonical;
}

/** The IPv4 address in the last 32 bits of a canonical IPv6 address that begins so; undefined where it begins otherwise. */
export function embeddedIPv4(canonical: string, prefix: string): string | undefined {
  if (!canonical.startsWith(prefix)) return undefined;
  const [, high, low] = /^([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical.slice(prefix.length)) ?? [];
  if (high === undefined || low === undefined) return undefined;
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [a >> 8, a & 255, b >> 8, b & 255].join('.');
}

/** A set of networks, each an address or a CIDR range: `10.0.0.0/8`, `fd00::/8`, `192.0.2.7`. */
export interface Networks {
  /** Whether a canonical address ({@link parseAddress}) is in one of them. */
  has(address: string): boolean;
}

/** Why a text names no network, in words that follow it; undefined where it names one. */
export function networkFault(text: string): string | undefined {
  const { address, family, length, rest } = read(text);
  if (!family || !(length <= bitsOf(family)) || rest.length > 0) return 'is no address and no CIDR range';
  if (family === 'ipv6' && isIPv4(parseAddress(address) ?? '')) return 'must be written as IPv4';
  return length === 0 ? 'is every address there is: name the networks that are meant' : undefined;
}

/** Reads networks that have no {@link networkFault}. */
export function networksOf(texts: readonly string[]): Networks {
  const list = new BlockList();
  for (const text of texts) {
    const { address, family, length } = read(text);
    if (family) list.addSubnet(address, length, family);
  }
  return { has: (address) => list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6') };
}

const bitsOf = (family: 'ipv4' | 'ipv6'): number => (family === 'ipv4' ? 32 : 128);

function read(text: string) {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIPv4(address) ? 'ipv4' : isIPv6(address) && !address.includes('%') ? 'ipv6' : undefined;
  const length =
    prefix === undefined ? (family ? bitsOf(family) : 0) : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  return { address, family, length, rest } as const;
}
