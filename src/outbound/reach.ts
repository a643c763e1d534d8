import { isIPv4 } from 'node:net';
import { embeddedIPv4, networkFault, networksOf, parseAddress } from '../lib/index.ts';

/** Addresses of everybody's: nothing of these registries is the public internet (RFC 6890, IANA special-purpose). */
const SPECIAL = networksOf([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
]);

/** All that is handed out as public IPv6 so far; the rest is local, multicast or nobody's. */
const GLOBAL_IPV6 = networksOf(['2000::/3']);

/** NAT64 (RFC 6052): stands for the IPv4 address at its end. */
const NAT64 = '64:ff9b::';

/** Whether an address as {@link parseAddress} gives it is on the public internet. */
export function isPublic(address: string): boolean {
  const behind = embeddedIPv4(address, NAT64) ?? address;
  if (SPECIAL.has(behind)) return false;
  return isIPv4(behind) || GLOBAL_IPV6.has(behind);
}

/** Where requests may go. */
export interface Reach {
  /** Whether a connection to this address may be made for the sake of this host. */
  allows(host: string, address: string): boolean;
}

/** @param allow host names, addresses and CIDR ranges that may be reached although they are not public. */
export function createReach(allow: readonly string[]): Reach {
  const networks = networksOf(allow.filter((entry) => networkFault(entry) === undefined));
  const hosts = new Set(allow.map((entry) => entry.toLowerCase()));
  return {
    allows(host, text) {
      const address = parseAddress(text);
      if (address === undefined) return false;
      return isPublic(address) || networks.has(address) || hosts.has(host.toLowerCase());
    },
  };
}
